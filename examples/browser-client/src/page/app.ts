/** The page: connects to the node that it came from, shows the board as it changes, and does what the reader clicks. */
import { connectCluster } from "@khonsu/transport-connect/browser";
import { Board, type Proposal } from "./board.ts";

const PAUSE_MS = 500;

const list = document.querySelector("ol")!;
const form = document.querySelector("form")!;
const field = document.querySelector("input")!;
const notice = document.querySelector("#notice")!;

/** By name; a row stays the same element for as long as its proposal is there, so that nobody clicks on one that is just replaced. */
const rows = new Map<string, HTMLLIElement>();

function show(board: Board, proposals: readonly Proposal[]): void {
  const names = new Set(proposals.map(({ name }) => name));
  for (const [name, row] of rows) {
    if (names.has(name)) continue;
    row.remove();
    rows.delete(name);
  }
  for (const [place, { name, votes }] of proposals.entries()) {
    const row = rows.get(name) ?? newRow(board, name);
    rows.set(name, row);
    row.querySelector("button")!.textContent = String(votes);
    if (list.children[place] !== row) list.insertBefore(row, list.children[place] ?? null);
  }
}

function newRow(board: Board, name: string): HTMLLIElement {
  const row = document.createElement("li");
  const label = document.createElement("span");
  label.textContent = name;
  row.append(
    label,
    button("0", `Vote for ${name}`, () => board.vote(name)),
    button("×", `Withdraw ${name}`, () => board.withdraw(name)),
  );
  return row;
}

function button(text: string, label: string, act: () => Promise<void>): HTMLButtonElement {
  const element = document.createElement("button");
  element.textContent = text;
  element.ariaLabel = label;
  element.addEventListener("click", () => attempt(act));
  return element;
}

async function attempt(act: () => Promise<void>): Promise<void> {
  try {
    await act();
    notice.textContent = "";
  } catch (error) {
    notice.textContent = error instanceof Error ? error.message : String(error);
  }
}

async function run(): Promise<void> {
  const client = await connectCluster({ addresses: [location.host] });
  const board = new Board(client);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const name = field.value.trim();
    field.value = "";
    if (name !== "") void attempt(() => board.propose(name));
  });
  const gone = new AbortController();
  addEventListener("pagehide", () => gone.abort());
  while (!gone.signal.aborted) {
    await attempt(() => board.follow((proposals) => show(board, proposals), gone.signal));
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  await client.close();
}

run().catch((error: unknown) => {
  notice.textContent = `Cannot connect: ${error instanceof Error ? error.message : String(error)}`;
});
