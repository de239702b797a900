/**
 * Sections "Check" and "Download" of the versions tab: the browser fetches a version's rows, compares them with all commits of
 * the ledger, verifies the validators' signatures, and saves them as JSON lines.
 */

import { labelledCount } from "@openledger/client/actions/data/stored-labels";
import type { CommittedRow } from "@openledger/client/actions/data/verify-version";
import { getCitation } from "@openledger/client/datanets/hosted-history";
import type { LedgerClient } from "@openledger/client/ledger-client";
import type { ExportFormat } from "@openledger/datanets/export/export-files";
import { hex32 } from "@openledger/foundation/hex";
import { rowNumber } from "@openledger/foundation/row-number";
import { useState } from "preact/hooks";
import { Button } from "../../design/button.tsx";
import { type Check, Checks } from "../../design/checks.tsx";
import { Choice } from "../../design/choice.tsx";
import { Identifier } from "../../design/identifier.tsx";
import { datanetHref, isOwnKey, type TabProps } from "../../hosts/tab-props.ts";
import { DroppedNotice } from "../../hosts/unsigned-records.tsx";
import { useLoad } from "../../hosts/use-load.ts";
import { useAction } from "../../ledger/use-action.ts";
import { RowText } from "../../rows/row-text.tsx";
import { showCount, showCounted } from "../../words/format.ts";
import { LeafLink } from "../../words/links.tsx";
import { ProblemNotice } from "../../words/problem.tsx";
import { PassedOverNotice } from "./passed-over.tsx";
import { type CheckedVersion, checkVersion, exportFiles } from "./version-work.ts";

/** Rows of each list of exceptions. */
const SHOWN_ROWS = 20;
const FATES: Readonly<Record<CommittedRow["fate"], string>> = {
  kept: "in the version",
  repeated: "committed before",
  later: "after the version",
  withdrawn: "withdrawn by its contributor",
  dropped: "left out",
  overtaken: "in the version under an account that committed it later",
  reassigned: "in the version under another account",
};

type SigningTab = TabProps & { readonly client: LedgerClient };

const workOf = (props: SigningTab, onProgress: (progress: string) => void) => ({
  ...props.place,
  from: isOwnKey(props) ? props.facts.id : props.client.leafId!,
  onProgress,
});

/** The present version against everything that was committed, and every validator's signature, row by row. */
export function VersionCheck(props: SigningTab) {
  const { client, facts } = props;
  const [progress, setProgress] = useState("");
  const [checked, setChecked] = useState<CheckedVersion | null>(null);
  const { isBusy, problem, run } = useAction();
  const check = () =>
    run(async () => {
      setChecked(await checkVersion(client, workOf(props, setProgress)));
      setProgress("");
    });
  return (
    <section class="card stack" aria-label="Check the version">
      <h2>Check version {facts.ledger.version}</h2>
      <p class="soft small">
        Rows come from the host and are hashed in your browser, which also checks every signature. Roots come
        from the ledger.
      </p>
      <Button isBusy={isBusy} onClick={() => void check()}>
        {isBusy ? "Checking …" : "Check in this browser"}
      </Button>
      {progress !== "" && (
        <p class="soft small" role="status">
          {progress} …
        </p>
      )}
      {checked !== null && <Result {...props} checked={checked} />}
      {problem !== null && <ProblemNotice problem={problem} />}
    </section>
  );
}

const VOUCHING = {
  former: "signed with a key that was replaced later",
  missing: "has not signed it",
  notAccepted: "signed a label, but the row has none that is accepted",
  notDrawn: "signed, but the draw chose another account",
};

function Result({ checked: { verified, vouching }, facts }: SigningTab & { checked: CheckedVersion }) {
  const { exceptions, foreign } = verified;
  const countOf = (fate: CommittedRow["fate"]) => exceptions.filter((row) => row.fate === fate).length;
  const [dropped, reassigned, withdrawn] = [countOf("dropped"), countOf("reassigned"), countOf("withdrawn")];
  const overtaken = countOf("overtaken");
  const isOwned = reassigned === 0 && foreign.length === 0;
  const labelled = labelledCount(vouching.labels);
  const checks: Check[] = [
    {
      name: "owners",
      state: isOwned ? "done" : "failed",
      title: isOwned
        ? "Every row belongs to the account that committed it first"
        : `${showCounted(reassigned + foreign.length, "row")} ${reassigned + foreign.length === 1 ? "does" : "do"} not belong to the first account that committed them`,
    },
    {
      name: "signatures",
      state: vouching.exceptions.length === 0 ? "done" : "failed",
      title: `${showCount(vouching.signedCount)} of ${showCounted(vouching.rowCount, "row")} ${vouching.rowCount === 1 ? "is" : "are"} signed by their validator`,
    },
    {
      name: "left",
      state: dropped === 0 ? "done" : "skipped",
      title:
        dropped === 0
          ? withdrawn === 0
            ? "No committed row is left out"
            : `No committed row is left out but ${showCounted(withdrawn, "row")} that ${withdrawn === 1 ? "its contributor has" : "their contributors have"} withdrawn`
          : `${showCounted(dropped, "committed row")} ${dropped === 1 ? "is" : "are"} left out, as listed below`,
    },
  ];
  if (overtaken > 0)
    checks.push({
      name: "overtaken",
      state: "skipped",
      title: `${showCounted(overtaken, "row")} ${overtaken === 1 ? "is" : "are"} under an account that committed ${overtaken === 1 ? "it" : "them"} later: right if the earlier commit's rows came after the publication, which nobody can check`,
    });
  if (facts.card.labels.length > 0)
    checks.push({
      name: "labels",
      state: labelled === vouching.rowCount ? "done" : "skipped",
      title: `${showCount(labelled)} of ${showCounted(vouching.rowCount, "row")} ${vouching.rowCount === 1 ? "has" : "have"} an accepted label by the signed records`,
    });
  return (
    <>
      <Checks label="Checks of the version" checks={checks} />
      <PassedOverNotice passedOver={verified.passedOver} />
      <DroppedNotice dropped={vouching.dropped} />
      {labelled > 0 && (
        <p class="soft small">
          Root of the labels, as named by model recipes:{" "}
          <Identifier value={hex32(vouching.labels.root)} label="the labels' root" />
        </p>
      )}
      {exceptions.length > 0 && <Exceptions facts={facts} exceptions={exceptions} />}
      {vouching.exceptions.length > 0 && (
        <ul class="small">
          {vouching.exceptions.slice(0, SHOWN_ROWS).map(({ digest, validatorId, vouching: verdict }) => (
            <li key={digest}>
              <a href={datanetHref(facts.id, `row/${digest}`)}>{digest.slice(0, 10)}…</a>: account{" "}
              <LeafLink id={validatorId} /> {VOUCHING[verdict]}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** Rows of each contribution that are not in the version as they were committed, and what became of them. */
function Exceptions({
  exceptions,
  facts,
}: Pick<TabProps, "facts"> & { exceptions: readonly CommittedRow[] }) {
  const commits = [...new Set(exceptions.map(({ commitIndex }) => commitIndex))].sort((a, b) => a - b);
  return (
    <div class="stack-s">
      {commits.map((commit) => {
        const rows = exceptions.filter(({ commitIndex }) => commitIndex === commit);
        const fates = [...new Set(rows.map(({ fate }) => fate))].map(
          (fate) => `${showCount(rows.filter((row) => row.fate === fate).length)} ${FATES[fate]}`,
        );
        return (
          <details key={commit} class="finding-group">
            <summary class="row">
              <strong>Contribution {commit + 1}</strong>
              <span class="soft small">by {rows[0]!.contributorId}</span>
              <span class="small">{fates.join(", ")}</span>
            </summary>
            <ul class="folded small">
              {rows.slice(0, SHOWN_ROWS).map(({ digest, fate, rowIndex }) => (
                <li key={rowIndex}>
                  <a href={datanetHref(facts.id, `row/${digest}`)}>row {showCount(rowNumber(rowIndex))}</a>:{" "}
                  {FATES[fate]}
                </li>
              ))}
              {rows.length > SHOWN_ROWS && <li>and {showCount(rows.length - SHOWN_ROWS)} more</li>}
            </ul>
          </details>
        );
      })}
    </div>
  );
}

/** The rows as a file, with how to cite them and under which licence. */
export function VersionDownload(props: SigningTab) {
  const { client, facts, place, visitor } = props;
  const [progress, setProgress] = useState("");
  const [format, setFormat] = useState<ExportFormat>("jsonl");
  const { isBusy, problem, run } = useAction();
  const citation = useLoad(facts.ledger.rowsRoot, () =>
    getCitation(visitor.reader, { ...place, rowsRoot: facts.ledger.rowsRoot }),
  );
  const download = () =>
    run(async () => {
      const files = await exportFiles(client, workOf(props, setProgress), format);
      setProgress("");
      for (const { content, name } of files) saveAs(content, name);
    });
  return (
    <section class="card stack" aria-label="Download">
      <h2>Download version {facts.ledger.version}</h2>
      <p class="soft small">
        All fields and accepted labels, checked against the ledger before they are saved. Licence:{" "}
        {facts.card.licence}.
      </p>
      <Choice<ExportFormat>
        label="Format"
        value={format}
        onChoose={setFormat}
        options={[
          { name: "parquet", label: "Parquet, with a Croissant file" },
          { name: "jsonl", label: "JSON lines" },
          ...(facts.card.row.kind === "image"
            ? ([
                { name: "images", label: "Pictures with a table (zip)" },
                { name: "label-studio", label: "Pictures with Label Studio's tasks (zip)" },
              ] as const)
            : ([{ name: "label-studio", label: "Label Studio's JSON" }] as const)),
        ]}
      />
      <Button isBusy={isBusy} onClick={() => void download()}>
        {isBusy ? "Fetching and checking …" : `Download ${showCounted(facts.ledger.rowCount, "row")}`}
      </Button>
      {progress !== "" && (
        <p class="soft small" role="status">
          {progress} …
        </p>
      )}
      {citation.value !== undefined && (
        <>
          <h3>Cite as</h3>
          <blockquote class="citation">
            <RowText text={citation.value.text} />
          </blockquote>
          <Button isSmall onClick={() => void navigator.clipboard.writeText(citation.value!.bibtex)}>
            Copy BibTeX
          </Button>
        </>
      )}
      {problem !== null && <ProblemNotice problem={problem} />}
    </section>
  );
}

function saveAs(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has begun to save it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
