/** A process that is asked one question at a time and answers each: the other side of `answerParent`. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** What a child answers where it cannot do what it was asked. */
export interface Failed {
  readonly kind: "failed";
  readonly message: string;
}

interface Message {
  readonly kind: string;
}

export class Child<Question extends Message, Answer extends Message> {
  readonly #process: ChildProcess;
  readonly #exited: Promise<Failed>;

  /** @param execArgv flags of Node, such as how much memory there is to be */
  constructor(file: string, execArgv: readonly string[] = []) {
    this.#process = fork(file, { execArgv: [...process.execArgv, ...execArgv] });
    const failure: Failed = { kind: "failed", message: "the process ended" };
    this.#exited = once(this.#process, "exit").then(() => failure);
  }

  /** @throws Error if the child failed, or is gone. */
  async ask(question: Question): Promise<Answer> {
    const answered = once(this.#process, "message").then(([answer]: (Answer | Failed)[]) => answer!);
    this.#process.send(question);
    const answer = await Promise.race([answered, this.#exited]);
    if (isFailed(answer)) throw new Error(`Cannot ${question.kind}: ${answer.message}`);
    return answer;
  }

  /** Sends a last question, and waits for the end of the process. */
  async end(last: Question): Promise<void> {
    if (this.#process.connected) this.#process.send(last);
    await this.#exited;
  }
}

/** In the child: answers each question; the one of kind "close" is the last. */
export function answerParent<Question extends Message, Answer extends Message>(
  answer: (question: Question) => Promise<Answer>,
): void {
  process.on("message", (question: Question) => {
    answer(question)
      .catch((error: unknown): Failed => ({ kind: "failed", message: textOf(error) }))
      .then((reply) => {
        process.send!(reply);
        if (question.kind === "close") process.disconnect();
      });
  });
  // The parent has ended, whatever the reason.
  process.on("disconnect", () => process.exit());
}

function isFailed(answer: Message): answer is Failed {
  return answer.kind === "failed";
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
