/** Page of one row of a Datanet, at "#/datanets/ID/row/SHA-256". */
import { NeedsAccess } from "../../hosts/needs-access.tsx";
import { datanetHref, type TabProps } from "../../hosts/tab-props.ts";
import { RowDetail } from "../../rows/row-detail.tsx";

/** One row by its name: `row/<SHA-256>`. */
export function RowTab(props: TabProps) {
  const digest = props.rest[0] ?? "";
  if (!/^[0-9a-f]{64}$/.test(digest)) return <p>A row is named by 64 hexadecimal digits.</p>;
  return (
    <NeedsAccess {...props}>
      <section class="card stack" aria-label="Row">
        <a class="small" href={datanetHref(props.facts.id, "rows")}>
          All rows
        </a>
        <RowDetail {...props} digest={digest} />
      </section>
    </NeedsAccess>
  );
}
