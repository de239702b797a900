/** Hint of a key beside a button, on the tabs that are worked by keys. */
export function KeyHint({ name }: { name: string }) {
  return <kbd class="key-hint">{name}</kbd>;
}
