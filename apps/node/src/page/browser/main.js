/**
 * Asks the node once a second and shows the answer. While the page is not looked at nothing is asked; when the node does not answer the
 * last answer stays, marked as old.
 */
import { render } from "lit-html";
import { duration } from "./format.js";
import { History } from "./history.js";
import { page } from "./view.js";

const PERIOD_MS = 1000;
const PATIENCE_MS = 5000;

const app = /** @type {HTMLElement} */ (document.querySelector("#app"));
const announcer = /** @type {HTMLElement} */ (document.querySelector("#announcer"));
const history = new History();
const state = {
  /** @type {string | undefined} */
  problem: undefined,
  answeredAt: performance.now(),
  isPaused: false,
  isTroubledOnly: false,
  /** @type {number | undefined} */
  selected: undefined,
};

const actions = {
  /** @param {number | undefined} shard */
  select: (shard) => show({ selected: shard }),
  /** @param {boolean} isTroubledOnly */
  filter: (isTroubledOnly) => show({ isTroubledOnly }),
  togglePause: () => show({ isPaused: !state.isPaused }),
};

/** @param {Partial<typeof state>} change */
function show(change = {}) {
  Object.assign(state, change);
  const status = history.latest;
  if (status === undefined) {
    if (state.problem !== undefined)
      /** @type {HTMLElement} */ (app.querySelector(".waiting")).textContent = state.problem;
    return;
  }
  if (app.ariaBusy === "true") {
    app.replaceChildren();
    app.ariaBusy = "false";
  }
  document.title = `${status.ready ? "" : "⚠ "}${status.cluster} · node ${status.node}`;
  render(
    page(
      { status, samples: history.samples, ageMs: performance.now() - state.answeredAt, ...state },
      actions,
    ),
    app,
  );
}

async function ask() {
  const response = await fetch("/status.json", {
    cache: "no-store",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (!response.ok) throw new Error(`it answered ${response.status} ${response.statusText}`);
  const status = await response.json();
  if (status.format !== 1) throw new Error(`its answer has format ${status.format}, this page knows 1`);
  return status;
}

async function turn() {
  if (state.isPaused || document.hidden) return;
  try {
    history.add(await ask());
    announce(undefined);
    show({ problem: undefined, answeredAt: performance.now() });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const problem = `The node does not answer: ${reason}.`;
    announce(problem);
    show({ problem });
  }
}

/**
 * Tells those who hear the page when it goes and when it comes back, and not every second.
 *
 * @param {string | undefined} problem
 */
function announce(problem) {
  if ((problem === undefined) === (state.problem === undefined)) return;
  announcer.textContent =
    problem ?? `The node answers again, after ${duration(performance.now() - state.answeredAt)}.`;
}

async function run() {
  for (;;) {
    await turn();
    await new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
  }
}

document.addEventListener("visibilitychange", turn);
run();
