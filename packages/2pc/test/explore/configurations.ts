/** The small worlds that are explored, each whole. Sizes are in states; the large ones take minutes. */
import type { Configuration } from "./world.ts";

const one = (vote: "yes" | "no" | "refused"): Configuration => ({
  votes: [vote],
  coordinators: 2,
  recoverers: 1,
  floors: [0],
});

/** Run with the tests. */
export const SMALL: Readonly<Record<string, Configuration>> = {
  "one participant, twins": one("yes"),
  "one participant that votes no, twins": one("no"),
  "one participant that refuses, twins": one("refused"),
  "two participants, twins": { votes: ["yes", "yes"], coordinators: 2, recoverers: 1, floors: [] },
  "two participants, home prepared": {
    votes: ["yes", "yes"],
    coordinators: 1,
    recoverers: 1,
    floors: [],
    mayPrepareHome: true,
  },
  "two participants, home's floor": { votes: ["yes", "yes"], coordinators: 1, recoverers: 1, floors: [0] },
  "two participants, the other's floor": {
    votes: ["yes", "yes"],
    coordinators: 1,
    recoverers: 1,
    floors: [1],
  },
  "two participants, the other votes no": {
    votes: ["yes", "no"],
    coordinators: 1,
    recoverers: 1,
    floors: [0],
  },
  "two participants, home votes no": { votes: ["no", "yes"], coordinators: 1, recoverers: 1, floors: [0] },
  "two participants, the other refuses": {
    votes: ["yes", "refused"],
    coordinators: 1,
    recoverers: 1,
    floors: [1],
  },
  "two participants, home refuses": {
    votes: ["refused", "yes"],
    coordinators: 1,
    recoverers: 1,
    floors: [0],
  },
  "three participants": { votes: ["yes", "yes", "yes"], coordinators: 1, recoverers: 1, floors: [] },
};

/** Run by `pnpm explore`. */
export const LARGE: Readonly<Record<string, Configuration>> = {
  "two participants, both floors": { votes: ["yes", "yes"], coordinators: 1, recoverers: 1, floors: [0, 1] },
  "two participants, twins, both floors": {
    votes: ["yes", "yes"],
    coordinators: 2,
    recoverers: 1,
    floors: [0, 1],
  },
  "two participants, the other votes no, twins": {
    votes: ["yes", "no"],
    coordinators: 2,
    recoverers: 1,
    floors: [1],
  },
  "three participants, home's floor": {
    votes: ["yes", "yes", "yes"],
    coordinators: 1,
    recoverers: 1,
    floors: [0],
  },
  "three participants, one votes no": {
    votes: ["yes", "yes", "no"],
    coordinators: 1,
    recoverers: 1,
    floors: [],
  },
};
