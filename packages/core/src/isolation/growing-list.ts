/**
 * Lists that mostly stay very short. V8 makes room for 17 elements at the first `push` to an empty array, which for the read and
 * write set of a small transaction would be most of what it allocates; so a list begins with room for four.
 */

/** The list of nothing, which all owners share. */
export const NONE: readonly never[] = [];

/** `list` with `element` at its end: a new list after `NONE`, otherwise `list` itself. Only for the owner of `list`. */
export function appended<T>(list: readonly T[], element: T): readonly T[] {
  if (list.length > 0) {
    (list as T[]).push(element);
    return list;
  }
  // Room for four, which stays when they are taken out.
  const first = [element, element, element, element];
  first.pop();
  first.pop();
  first.pop();
  return first;
}
