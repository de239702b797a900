/** Hint beside a button which key of the keyboard presses it, on the tabs for labelling, review and cleaning. */
export function KeyHint({ name }: { name: string }) {
  return <kbd class="key-hint">{name}</kbd>;
}
