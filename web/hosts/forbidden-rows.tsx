/** Notice of the rows whose terms forbid a model, by their names. The forms of the factory and of approvals show it. */
import { type ForbiddingRows, forbiddingLines } from "@openledger/datanets/terms/terms-rule";
import { Notice } from "../design/notice.tsx";

/** Rows that stand in the way, and why. Shown before anything is trained or signed. */
export function ForbiddenRows({ rows }: { readonly rows: readonly ForbiddingRows[] }) {
  return (
    <Notice tone="bad" title="The terms of some rows forbid this.">
      {forbiddingLines(rows).map((line) => (
        <p key={line}>{line}</p>
      ))}
    </Notice>
  );
}
