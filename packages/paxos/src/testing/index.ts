export { recover } from "../recovery.ts";
