/** A key, as it is printed on a keyboard. */
export function KeyHint({ name }: { name: string }) {
  return <kbd class="key-hint">{name}</kbd>;
}
