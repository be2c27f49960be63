/**
 * A colour for each node: eight that people with any colour vision tell apart, then again from the beginning. Wherever one is used the
 * number of the node stands beside it.
 *
 * @param {readonly { readonly node: number }[]} members
 * @returns {(node: number | null) => string} the name of a custom property of CSS
 */
export function nodeColors(members) {
  const order = members.map(({ node }) => node).sort((a, b) => a - b);
  return (node) => {
    const place = node === null ? -1 : order.indexOf(node);
    return place < 0 ? "var(--no-node)" : `var(--node-${place % 8})`;
  };
}
