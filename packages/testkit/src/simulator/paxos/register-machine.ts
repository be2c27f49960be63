// The state machine that the simulated replicas keep: registers that are written and compared-and-set, and for each client the
// answers to its last commands, so that a command that was decided twice still has one answer. It hashes its whole history: replicas
// at equal indexes must have equal hashes.

export type RegisterCommand =
  | { readonly kind: "write"; readonly key: string; readonly value: string }
  | { readonly kind: "cas"; readonly key: string; readonly expected: string | null; readonly value: string };

/** What a command answered: whether it took effect. A write always does. */
export interface RegisterAnswer {
  readonly applied: boolean;
}

/** How far behind its newest command the answers of a client are kept: as far as replicas tell repetitions (`sessionWindow`). */
const ANSWERS_WINDOW = 64;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeCommand(command: RegisterCommand): Uint8Array {
  return encoder.encode(JSON.stringify(command));
}

export function decodeCommand(bytes: Uint8Array): RegisterCommand {
  return JSON.parse(decoder.decode(bytes)) as RegisterCommand;
}

export class RegisterMachine {
  #index = 0;
  #hash = 0;
  readonly #registers = new Map<string, string>();
  readonly #answers = new Map<number, Map<number, RegisterAnswer>>();

  /** The last slot applied. */
  get index(): number {
    return this.#index;
  }

  /** Of everything applied up to `index`, and of the registers that came of it. */
  get hash(): number {
    return this.#hash;
  }

  read(key: string): string | null {
    return this.#registers.get(key) ?? null;
  }

  /** The answer to a command that was applied, if it is still kept. */
  answer(client: number, sequence: number): RegisterAnswer | undefined {
    return this.#answers.get(client)?.get(sequence);
  }

  /** Applies the command of `slot`. */
  apply(slot: number, client: number, sequence: number, bytes: Uint8Array): RegisterAnswer {
    this.#advance(slot);
    const command = decodeCommand(bytes);
    const applied = command.kind === "write" || this.read(command.key) === command.expected;
    if (applied) this.#registers.set(command.key, command.value);
    const answer = { applied };
    this.#remember(client, sequence, answer);
    this.#mix(
      `${slot} ${client}.${sequence} ${command.key} ${command.value} ${this.read(command.key)} ${applied}`,
    );
    return answer;
  }

  /** Passes a slot that holds nothing for the state machine. */
  skip(slot: number, what: string): void {
    this.#advance(slot);
    this.#mix(`${slot} ${what}`);
  }

  image(): Uint8Array {
    return encoder.encode(
      JSON.stringify({
        index: this.#index,
        hash: this.#hash,
        registers: [...this.#registers].sort(([one], [other]) => (one < other ? -1 : 1)),
        answers: [...this.#answers]
          .sort(([one], [other]) => one - other)
          .map(([client, kept]) => [client, [...kept]]),
      }),
    );
  }

  static fromImage(bytes: Uint8Array): RegisterMachine {
    const image = JSON.parse(decoder.decode(bytes)) as {
      index: number;
      hash: number;
      registers: [string, string][];
      answers: [number, [number, RegisterAnswer][]][];
    };
    const machine = new RegisterMachine();
    machine.#index = image.index;
    machine.#hash = image.hash;
    for (const [key, value] of image.registers) machine.#registers.set(key, value);
    for (const [client, kept] of image.answers) machine.#answers.set(client, new Map(kept));
    return machine;
  }

  #advance(slot: number): void {
    if (slot !== this.#index + 1)
      throw new Error(`Cannot apply slot ${slot}: the last one applied is ${this.#index}`);
    this.#index = slot;
  }

  #remember(client: number, sequence: number, answer: RegisterAnswer): void {
    const kept = this.#answers.get(client) ?? new Map<number, RegisterAnswer>();
    this.#answers.set(client, kept.set(sequence, answer));
    // By sequence, not by age: commands of one client may be decided in another order than they were numbered in.
    const newest = Math.max(...kept.keys());
    for (const old of kept.keys()) if (old <= newest - ANSWERS_WINDOW) kept.delete(old);
  }

  #mix(text: string): void {
    let hash = this.#hash;
    for (let index = 0; index < text.length; index += 1) {
      hash = Math.imul(hash ^ text.charCodeAt(index), 0x5bd1e995);
      hash ^= hash >>> 15;
    }
    this.#hash = hash >>> 0;
  }
}
