/** List of labels and values of all pages (a `<dl>`). */
import { type ComponentChildren, Fragment } from "preact";

interface FactListProps {
  /** Words with their values. */
  facts: readonly (readonly [ComponentChildren, ComponentChildren])[];
  isSmall?: boolean;
}

/** Facts of a page, label by label. */
export function FactList({ facts, isSmall = false }: FactListProps) {
  return (
    <dl class={isSmall ? "facts small" : "facts"}>
      {facts.map(([label, value], i) => (
        <Fragment key={i}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </Fragment>
      ))}
    </dl>
  );
}
