/** How far the demo is, on standard error: bars on a terminal, a line a phase elsewhere, nothing where it must be quiet. */
import { Presets, SingleBar } from "cli-progress";

export interface Phase {
  /** @param done how much of `total` */
  update(done: number): void;
  end(): void;
}

export interface Progress {
  /** @param total undefined where nobody can tell how long it takes */
  begin(title: string, total?: number): Phase;
}

const SILENT: Phase = { update: () => {}, end: () => {} };

export function createProgress(isQuiet: boolean): Progress {
  if (isQuiet) return { begin: () => SILENT };
  if (!process.stderr.isTTY) return { begin: announce };
  return { begin: (title, total) => (total === undefined ? announce(title) : bar(title, total)) };
}

function announce(title: string): Phase {
  process.stderr.write(`${title} …\n`);
  return SILENT;
}

function bar(title: string, total: number): Phase {
  const line = new SingleBar(
    { format: `${title} {bar} {percentage}%`, stream: process.stderr, barsize: 30, clearOnComplete: false },
    Presets.shades_classic,
  );
  line.start(total, 0);
  return {
    update: (done) => line.update(Math.min(done, total)),
    end: () => {
      line.update(total);
      line.stop();
    },
  };
}
