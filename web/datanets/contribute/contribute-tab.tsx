/**
 * Tab "Contribute" of a Datanet's page: a contributor chooses files or types rows, sees what counts and why others do not, and
 * signs. Upload to the host follows in the background once the commit is final on Ethereum.
 */
import { findKnownRows } from "@openledger/client/datanets/browse-rows";
import type { LedgerClient } from "@openledger/client/ledger-client";
import {
  type ColumnNames,
  type FileColumns,
  type FileFormat,
  requireFormat,
} from "@openledger/datanets/rows/read-rows";
import { RollupError } from "@openledger/foundation/rollup-error";
import { useState } from "preact/hooks";
import { useAction } from "../../bridge/use-action.ts";
import { Badge } from "../../design/badge.tsx";
import { Button } from "../../design/button.tsx";
import { DropFiles } from "../../design/drop-files.tsx";
import { Check, Field } from "../../design/field.tsx";
import { Notice } from "../../design/notice.tsx";
import { saveFile } from "../../design/save-file.ts";
import { NeedsKey } from "../../hosts/keys/needs-key.tsx";
import { datanetHref, type TabProps } from "../../hosts/tab-props.ts";
import { FirstRows, RowBeginning } from "../../rows/first-rows.tsx";
import { showBytes } from "../../rows/show-bytes.ts";
import { showCount, showCounted } from "../../words/format.ts";
import { ProblemNotice } from "../../words/problem.tsx";
import { Notices } from "../notices.tsx";
import { carrierOf } from "./carry-on.ts";
import { type ChosenRows, chooseRows } from "./chosen-rows.ts";
import { ColumnChoice } from "./column-choice.tsx";
import type { Contributions } from "./contributions.ts";
import { type LookedAt, lookThrough } from "./look-through.ts";
import { UnderWay } from "./under-way.tsx";

/** Maximum bytes of the files together: a browser holds them at ease, and a person looks through them. */
const MAX_FILES_BYTES = 64_000_000;
/** First rows of the preview. */
const SHOWN_ROWS = 10;
/** Digests in one request to the host. */
const KNOWN_A_REQUEST = 16_384;

/** Files as rows: looked at before anything is signed, committed first; the frame brings them to the host once that is final. */
export function ContributeTab(props: TabProps) {
  const { facts, live } = props;
  const rollup = live.info.value;
  if (rollup === null) return <p class="soft">Asking which ledger this is …</p>;
  const carrier = carrierOf(rollup);
  const { contributions } = carrier;
  const pending = contributions.pending.value.filter(({ datanetId }) => datanetId === facts.id);
  const arrived = carrier.arrived.value.get(facts.id) ?? null;
  return (
    <NeedsKey {...props} toDo="contribute">
      {(client) => (
        <>
          {pending.map((one) => (
            <UnderWay key={one.rowsRoot} {...props} carrier={carrier} pending={one} />
          ))}
          {arrived !== null && (
            <Notice
              tone="good"
              title={`${showCounted(arrived.rowCount, "row")} ${arrived.rowCount === 1 ? "is" : "are"} in.`}
            >
              <p>
                <a href={datanetHref(facts.id, `rows/commit/${arrived.rowsRoot}`)}>See your rows</a>.{" "}
                {(facts.card.labelling.ownRows ?? "refused") === "refused"
                  ? "Other people label them now, and a reviewer approves them."
                  : "They wait for labels now, and for a reviewer's approval."}
              </p>
            </Notice>
          )}
          <Chooser {...props} client={client} contributions={contributions} />
          <Notices {...props} client={client} />
        </>
      )}
    </NeedsKey>
  );
}

interface WithClient extends TabProps {
  readonly client: LedgerClient;
  readonly contributions: Contributions;
}

interface Looked extends LookedAt {
  readonly names: readonly string[];
}

function Chooser(props: WithClient) {
  const { client, contributions, facts, onChange, place } = props;
  const [looked, setLooked] = useState<Looked | null>(null);
  const [isLines, setLines] = useState(true);
  const looking = useAction();
  const signing = useAction();
  const [typed, setTyped] = useState("");
  const { card } = facts;
  const [unnamed, setUnnamed] = useState<{ columns: FileColumns; use: (names: ColumnNames) => void } | null>(
    null,
  );
  const isTypable = card.row.kind !== "image" && card.row.kind !== "digit";
  const look = (files: readonly File[], format?: FileFormat, names: ColumnNames = {}): Promise<void> =>
    looking.run(async () => {
      setLooked(null);
      setUnnamed(null);
      const bytes = files.reduce((sum, { size }) => sum + size, 0);
      if (bytes > MAX_FILES_BYTES)
        throw new RollupError(
          "SRV_TOO_LARGE",
          `${showBytes(bytes)} are more than this page takes at once, ${showBytes(MAX_FILES_BYTES)}`,
        );
      const read = await Promise.all(
        files.map(async (file) => ({
          name: file.name,
          format: format ?? chosenFormat(file.name, card.row.kind, isLines),
          content: new Uint8Array(await file.arrayBuffer()),
        })),
      );
      const { labels, rewards, row } = card;
      const found = await lookThrough({ rules: { labels, rewards, row }, files: read, names });
      if ("needs" in found)
        return setUnnamed({ columns: found, use: (named) => void look(files, format, named) });
      const known = await knownFindings(client, place, found);
      setLooked({ ...found, findings: [...found.findings, ...known], names: files.map(({ name }) => name) });
    });
  return (
    <section class="card stack" aria-label="Contribute">
      <h2>Contribute rows</h2>
      <DropFiles
        title="Drop files here, or choose them"
        help={FORMATS[card.row.kind]}
        isMany
        onFiles={(files) => void look(files)}
      />
      {(card.row.kind === "text" || card.row.kind === "passage") && (
        <Check
          label="Every line of a text file is a row"
          help="Otherwise each file is one row."
          isChecked={isLines}
          onCheck={setLines}
        />
      )}
      {isTypable && (
        <>
          <Field
            label="Or type or paste rows"
            value={typed}
            onInput={setTyped}
            lineCount={4}
            placeholder={TYPED[card.row.kind]}
            help="One row per line."
            isDisabled={looking.isBusy || signing.isBusy}
          />
          <div class="row">
            <Button
              isSmall
              isBusy={looking.isBusy}
              isDisabled={typed.trim() === ""}
              onClick={() => void look([new File([typed], "typed rows")], typedFormat(typed, card.row.kind))}
            >
              Look at these rows
            </Button>
            <Button
              isSmall
              onClick={() => saveFile("rows.jsonl", new TextEncoder().encode(templateOf(card.row)))}
            >
              Download a template
            </Button>
          </div>
        </>
      )}
      {unnamed !== null && <ColumnChoice columns={unnamed.columns} onChoose={unnamed.use} />}
      {looking.isBusy && <p role="status">Looking through the rows …</p>}
      {looking.problem !== null && <ProblemNotice problem={looking.problem} />}
      {looked !== null && (
        <Preview
          {...props}
          looked={looked}
          isBusy={signing.isBusy}
          onSign={(rowPlaces) =>
            void signing.run(async () => {
              const rows = rowPlaces.map((at) => looked.rows[at]!);
              await contributions.begin(client, { datanetId: facts.id, names: looked.names, rows });
              setLooked(null);
              setTyped("");
              onChange();
            })
          }
        />
      )}
      {signing.problem !== null && <ProblemNotice problem={signing.problem} />}
    </section>
  );
}

const FORMATS = {
  text: "Text, JSON lines or CSV with a column “text”, Parquet",
  passage: "JSON lines, CSV or Parquet with “text”, or with “prompt” and “answer”; text files",
  table: "JSON lines, CSV or Parquet with the card's fields",
  email: "JSON lines, CSV or Parquet with “label” and “text”",
  digit: "JSON lines, CSV or Parquet with “label” and “pixels”",
  image: "PNG, JPEG, GIF or WebP, one row a file",
} as const;

/** Format of typed rows: JSON means its fields; otherwise a line is a row, if rows are texts. */
const typedFormat = (typed: string, kind: keyof typeof FORMATS): FileFormat =>
  (kind === "text" || kind === "passage") && !typed.trimStart().startsWith("{") ? "lines" : "jsonl";

const TYPED: Readonly<Record<keyof typeof FORMATS, string>> = {
  text: "The sea was calm at dawn.",
  passage: '{"prompt": "Why is the sea salty?", "answer": "Rivers carry salt into it."}',
  table: "{...}, with the card's fields",
  email: '{"label": "spam", "text": "You have won a free cruise."}',
  digit: "",
  image: "",
};

/** A file of one row, to be filled in. */
function templateOf({ fields, kind }: TabProps["facts"]["card"]["row"]): string {
  const values = { text: "…", category: "…", number: 0, boolean: true } as const;
  if (kind === "table")
    return `${JSON.stringify(Object.fromEntries(fields.map(({ name, type }) => [name, values[type]])))}\n`;
  return `${kind === "text" ? JSON.stringify({ text: TYPED.text }) : TYPED[kind]}\n`;
}

function chosenFormat(name: string, kind: keyof typeof FORMATS, isLines: boolean): FileFormat {
  const format = requireFormat(name);
  return format === "whole" && (kind === "text" || kind === "passage") && isLines ? "lines" : format;
}

/** Rows that the host has from earlier contributions, of whichever Datanet. */
async function knownFindings(client: LedgerClient, place: TabProps["place"], { digests }: LookedAt) {
  const findings: LookedAt["findings"][number][] = [];
  for (let from = 0; from < digests.length; from += KNOWN_A_REQUEST) {
    const part = digests.slice(from, from + KNOWN_A_REQUEST);
    for (const { contributorId, datanetId, place: at } of await findKnownRows(client, {
      ...place,
      digests: part,
    })) {
      const where = datanetId === place.datanetId ? "here" : `to Datanet ${datanetId}`;
      const detail = `account ${contributorId} has committed it ${where}`;
      // In another Datanet it is no copy that costs anything; it is worth knowing all the same.
      if (datanetId === place.datanetId) findings.push({ row: from + at, kind: "duplicate", detail });
    }
  }
  return findings;
}

interface PreviewProps extends WithClient {
  readonly looked: Looked;
  readonly isBusy: boolean;
  readonly onSign: (rowPlaces: readonly number[]) => void;
}

function Preview({ client, facts, isBusy, looked, onSign }: PreviewProps) {
  const [decided, setDecided] = useState<Parameters<typeof chooseRows>[2]>({});
  const { findings, rows } = looked;
  const chosen = chooseRows(rows.length, findings, decided);
  const { groups, rowPlaces } = chosen;
  const bytes = rowPlaces.reduce((sum, at) => sum + rows[at]!.length, 0);
  return (
    <section class="stack" aria-label="Preview">
      <div class="columns columns-small">
        <div>
          <p class="figure">{showCount(rowPlaces.length)}</p>
          <p class="soft small">
            {rowPlaces.length === 1 ? "row" : "rows"} will be committed, {showBytes(bytes)}
          </p>
        </div>
        <div>
          <p class="figure">{showCount(rows.length - rowPlaces.length)}</p>
          <p class="soft small">left out, for the reasons below</p>
        </div>
      </div>
      {groups.map((group) => (
        <Group
          key={group.kind}
          card={facts.card}
          group={group}
          rows={rows}
          onDecide={(isOut) => setDecided({ ...decided, [group.kind]: isOut })}
        />
      ))}
      <FirstRows
        card={facts.card}
        rows={rowPlaces.slice(0, SHOWN_ROWS).map((at) => ({ at, row: rows[at]! }))}
        count={rowPlaces.length}
      />
      <div class="row">
        <Button isMain isBusy={isBusy} isDisabled={rowPlaces.length === 0} onClick={() => onSign(rowPlaces)}>
          {isBusy ? "Keeping the rows and signing …" : `Contribute ${showCounted(rowPlaces.length, "row")}`}
        </Button>
        <span class="soft small">
          Account {client.leafId} commits to their hashes. The rows leave this browser once that is final on
          Ethereum, so no one can copy them before.
        </span>
      </div>
    </section>
  );
}

interface GroupProps {
  readonly card: TabProps["facts"]["card"];
  readonly group: ChosenRows["groups"][number];
  readonly rows: readonly Uint8Array[];
  readonly onDecide: (isLeftOut: boolean) => void;
}

function Group({ card, group, onDecide, rows }: GroupProps) {
  const { findings, isLeftOut, stays, title, why } = group;
  return (
    <details class="finding-group">
      <summary class="row">
        <strong>{title}</strong>
        <span class="soft">{showCount(findings.length)}</span>
        <span class="push" />
        <Badge tone={isLeftOut ? "bad" : "wait"}>{isLeftOut ? "left out" : "kept"}</Badge>
      </summary>
      <div class="folded stack-s">
        <p class="soft small">{why}</p>
        {stays !== "never" && (
          <Check
            label="Leave these rows out"
            help="You decide; no one else has seen these rows."
            isChecked={isLeftOut}
            onCheck={onDecide}
          />
        )}
        <ul class="preview-rows">
          {findings.slice(0, SHOWN_ROWS).map(({ detail, row }) => (
            <li key={`${row} ${detail}`}>
              <RowBeginning card={card} row={rows[row]!} />
              <span class="soft small">
                {" "}
                row {showCount(row + 1)}: {detail}
              </span>
            </li>
          ))}
        </ul>
        {findings.length > SHOWN_ROWS && (
          <p class="soft small">and {showCount(findings.length - SHOWN_ROWS)} more</p>
        )}
      </div>
    </details>
  );
}
