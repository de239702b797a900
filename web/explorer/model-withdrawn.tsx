/**
 * Part of a model's page about rows that their contributors have withdrawn: those it was trained on, with what it loses, and
 * certificates for those it was trained without.
 */
import type { LedgerModelLeaf } from "@openledger/client/sequencer/model-schemas";
import { rowNumber } from "@openledger/foundation/row-number";
import { Button } from "../design/button.tsx";
import { Notice } from "../design/notice.tsx";
import { saveFile } from "../design/save-file.ts";
import { placeOf } from "../hosts/hosts.ts";
import { readVisitor } from "../hosts/keys/visitor.ts";
import { datanetHref } from "../hosts/tab-props.ts";
import { useWithdrawn } from "../hosts/withdrawn-rows.ts";
import type { PageProps } from "../ledger/page.ts";
import { useAction } from "../ledger/use-action.ts";
import { showAge, showCount, showCounted } from "../words/format.ts";
import { LeafLink } from "../words/links.tsx";
import { ProblemNotice } from "../words/problem.tsx";

/** Rows of each list; their count is shown whole. */
const SHOWN_ROWS = 20;

/** Withdrawn rows of the model's version, and of its Datanet. Of further Datanets the ledger names no version. */
export function ModelWithdrawn({ live, model, site }: PageProps & { model: LedgerModelLeaf }) {
  const { datanetId, furtherDatanets, version } = model.model;
  const { value } = useWithdrawn({ live, site }, { datanetId, versions: [version] });
  const certifying = useAction();
  const rows = value?.byVersion.get(version);
  if (value == null || rows === undefined) return null;
  const digests = new Set(rows.map(({ digest }) => digest));
  const without =
    furtherDatanets.length > 0 ? [] : value.withdrawals.filter(({ digest }) => !digests.has(digest));
  const certify = (row: string) =>
    certifying.run(async () => {
      const { certifyRemoval, encodeCertificate } = await import(
        "@openledger/client/datanets/removal-certificate"
      );
      const { reader } = readVisitor(site, live)!;
      const { place } = await placeOf(site, reader, datanetId);
      const made = await certifyRemoval(reader, { hostUrl: place.hostUrl, modelId: model.id, row });
      saveFile(
        `removal-${model.id}-${row.slice(0, 8)}.json`,
        new TextEncoder().encode(encodeCertificate(made)),
      );
    });
  const numbers = rows.map(({ index }) => rowNumber(index)).join(",");
  return (
    <>
      {rows.length > 0 && (
        <Notice
          tone="wait"
          title={`${showCounted(rows.length, "row")} that this model was trained on ${rows.length === 1 ? "was" : "were"} withdrawn`}
        >
          <ul>
            {rows.slice(0, SHOWN_ROWS).map(({ atMs, contributorId, digest, index, note }) => (
              <li key={digest}>
                <a href={datanetHref(datanetId, `row/${digest}`)}>row {showCount(rowNumber(index))}</a> by{" "}
                <LeafLink id={contributorId} />, {showAge(atMs, live.nowMs.value)}
                {note !== "" && `: ${note}`}
              </li>
            ))}
          </ul>
          {rows.length > SHOWN_ROWS && (
            <p class="soft small">and {showCount(rows.length - SHOWN_ROWS)} more</p>
          )}
          <p class="small">
            The next version of <LeafLink id={datanetId} /> leaves {rows.length === 1 ? "it" : "them"} out,
            and a model that is trained on it never sees {rows.length === 1 ? "it" : "them"}. What this one
            loses, if it is a language model and you have the rows:{" "}
            <code>
              openledger rewards what-if {model.id} --without {numbers}
            </code>
            . For a classifier, train again and compare.
          </p>
        </Notice>
      )}
      {without.length > 0 && (
        <section class="card stack" aria-label="Trained without">
          <h2>Trained without withdrawn rows</h2>
          <p class="soft small">
            A certificate shows that this model's version does not have a row, and who says that they have
            trained the model again to the same bytes. Anyone checks it:{" "}
            <code>openledger verify certificate FILE</code>.
          </p>
          <ul>
            {without.slice(0, SHOWN_ROWS).map(({ contributorId, digest }) => (
              <li key={digest}>
                <a href={datanetHref(datanetId, `row/${digest}`)}>
                  <code>{digest.slice(0, 16)}…</code>
                </a>{" "}
                by <LeafLink id={contributorId} />{" "}
                <Button isSmall isBusy={certifying.isBusy} onClick={() => void certify(digest)}>
                  Certificate
                </Button>
              </li>
            ))}
          </ul>
          {without.length > SHOWN_ROWS && (
            <p class="soft small">and {showCount(without.length - SHOWN_ROWS)} more</p>
          )}
          {certifying.problem !== null && <ProblemNotice problem={certifying.problem} />}
        </section>
      )}
    </>
  );
}
