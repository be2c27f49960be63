// Pictures of what the checkers found.
export { type Drawable, drawAnomaly } from "./draw-anomaly.ts";
export { drawLinearizabilityFailure } from "./draw-linearizability.ts";
