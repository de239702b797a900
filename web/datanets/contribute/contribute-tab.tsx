/**
 * Tab "Contribute" of a Datanet's page: a contributor chooses files or types rows, sees what counts and why others do not, and
 * signs. Upload to the host follows in the background once the commit is final on Ethereum.
 */
import { findKnownRows } from "@openledger/client/datanets/browse-rows";
import type { LedgerClient } from "@openledger/client/ledger-client";
import type { Choices } from "@openledger/datanets/import/decision";
import {
  FILE_FORMATS,
  type FileFormat,
  formatOf,
  type ImportFile,
} from "@openledger/datanets/import/import-file";
import type { ImportMapping } from "@openledger/datanets/import/mapping";
import type { ReadSettings } from "@openledger/datanets/import/read-files";
import { rowNumber } from "@openledger/foundation/row-number";
import { useEffect, useState } from "preact/hooks";
import { Badge } from "../../design/badge.tsx";
import { Button } from "../../design/button.tsx";
import { Choice } from "../../design/choice.tsx";
import { DropFiles } from "../../design/drop-files.tsx";
import { Check, Field } from "../../design/field.tsx";
import { Notice } from "../../design/notice.tsx";
import { saveFile } from "../../design/save-file.ts";
import { NeedsKey } from "../../hosts/keys/needs-key.tsx";
import { datanetHref, reviewerOf, type TabProps } from "../../hosts/tab-props.ts";
import { useAction } from "../../ledger/use-action.ts";
import { useLatest } from "../../ledger/use-latest.ts";
import { FirstRows, RowBeginning } from "../../rows/first-rows.tsx";
import { showBytes } from "../../rows/show-bytes.ts";
import { CannotBeUndone } from "../../rows/withdraw-row.tsx";
import { showCount, showCounted } from "../../words/format.ts";
import { ProblemNotice } from "../../words/problem.tsx";
import { TermsToSign } from "../card-terms.tsx";
import { Notices } from "../notices.tsx";
import { carrierOf, waitsForLabels } from "./carry-on.ts";
import { readChosen, takeFiles } from "./chosen-files.ts";
import { type ChosenRows, chooseRows } from "./chosen-rows.ts";
import type { Contributions, Pending } from "./contributions.ts";
import { DecisionList, keepsColumns } from "./decision-list.tsx";
import { ImportChoices, RefusedRows } from "./import-choices.tsx";
import { type LookedAt, scanRows } from "./scan-rows.ts";
import { UnderWay } from "./under-way.tsx";

/** First rows of the preview. */
const SHOWN_ROWS = 10;
/** Digests in one request to the host. */
const KNOWN_A_REQUEST = 16_384;

/** Files as rows: looked at before anything is signed, committed first; the frame brings them to the host once that is final. */
export function ContributeTab(props: TabProps) {
  const { facts, live } = props;
  const rollup = live.info.value;
  if (rollup === null) return <p class="soft">Loading …</p>;
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
              title={`${showCounted(arrived.rowCount, "row")} ${arrived.rowCount === 1 ? "was" : "were"} contributed.`}
            >
              <p>
                <a href={datanetHref(facts.id, `rows/commit/${arrived.rowsRoot}`)}>See your rows</a>.{" "}
                <NextSteps {...props} arrived={arrived} />
                {arrived.refusedLabelCount > 0 &&
                  ` ${showCounted(arrived.refusedLabelCount, "label")} of yours came too late: those rows already have enough labels.`}
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

/** Next steps of a contribution, with links to those that this account may take. */
function NextSteps({ arrived, ...props }: TabProps & { arrived: Pending }) {
  const { card, id } = props.facts;
  const isOwnLabelled = card.labelling.ownRows === "allowed";
  return (
    <>
      {waitsForLabels(card, arrived) &&
        (isOwnLabelled ? (
          <>
            You and others <a href={datanetHref(id, "label")}>label them</a> now.{" "}
          </>
        ) : (
          "Other people can label them now: share the address of this Datanet. "
        ))}
      {reviewerOf(props) === null ? (
        "A reviewer then approves them."
      ) : (
        <>
          You <a href={datanetHref(id, "versions")}>approve them and publish</a>.
        </>
      )}
    </>
  );
}

interface WithClient extends TabProps {
  readonly client: LedgerClient;
  readonly contributions: Contributions;
}

/** Files as they were looked through, with what the contributor has chosen. */
interface Looked extends LookedAt {
  readonly files: readonly ImportFile[];
  readonly settings: ReadSettings;
}

/** Choices of the contributor by which the files are read now. */
type Asked = Pick<Looked, "mapping" | "settings">;

function Chooser(props: WithClient) {
  const { client, contributions, facts, onChange, place } = props;
  const [looked, setLooked] = useState<Looked | null>(null);
  /** Choices whose rows are not shown yet; null: there are none. */
  const [asked, setAsked] = useState<Asked | null>(null);
  const begin = useLatest();
  /** Files whose ending does not say how to read them. */
  const [unnamed, setUnnamed] = useState<readonly File[] | null>(null);
  const looking = useAction();
  const signing = useAction();
  const [typed, setTyped] = useState("");
  /** Contributions that were signed here: each empties the form. */
  const [signedCount, setSignedCount] = useState(0);
  const { card } = facts;
  const isTypable = card.row.kind !== "image";
  const readAll = async (
    files: readonly ImportFile[],
    mapping: Partial<ImportMapping>,
    settings: ReadSettings,
    isLatest: () => boolean,
  ): Promise<void> => {
    const { labels, rewards, row } = card;
    const found = await scanRows({ rules: { labels, rewards, row }, files, mapping, settings });
    const known = await knownFindings(client, place, found);
    // Other files, or other columns, were chosen while these were read.
    if (!isLatest()) return;
    setLooked({ ...found, findings: [...found.findings, ...known], files, settings });
    setAsked(null);
  };
  const look = (files: readonly File[], format?: FileFormat, choices: Choices = {}): Promise<void> =>
    looking.run(async () => {
      const isLatest = begin();
      setLooked(null);
      setAsked(null);
      const isNamed = format !== undefined || files.every(({ name }) => formatOf(name) !== null);
      setUnnamed(isNamed ? null : files);
      if (isNamed) await readAll(await readChosen(files, format), {}, { choices }, isLatest);
    });
  useEffect(() => {
    const { choices, files } = takeFiles(facts.id);
    if (files.length > 0) void look(files, undefined, choices);
  }, []);
  return (
    <section class="card stack" aria-label="Contribute">
      <h2>Contribute rows</h2>
      <DropFiles
        key={signedCount}
        title="Drop files here or choose them"
        help={FORMATS[card.row.kind]}
        isMany
        hasFolders
        onFiles={(files) => void look(files)}
      />
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
              Preview these rows
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
      {unnamed !== null && (
        <Choice<FileFormat | "open">
          label={`What is the format of ${unnamed.find(({ name }) => formatOf(name) === null)?.name}?`}
          help="Its file extension is unknown. Save other spreadsheets as .xlsx first."
          value="open"
          onChoose={(format) => format !== "open" && void look(unnamed, format)}
          options={[
            { name: "open", label: "choose …" },
            ...FILE_FORMATS.map((name) => ({ name, label: FORMAT_NAMES[name] })),
          ]}
        />
      )}
      {looking.isBusy && <p role="status">Reading the rows …</p>}
      {looking.problem !== null && <ProblemNotice problem={looking.problem} />}
      {looked !== null && (
        <ImportChoices
          card={card}
          looked={{ ...looked, mapping: asked?.mapping ?? looked.mapping }}
          settings={asked?.settings ?? looked.settings}
          hasCsv={looked.files.some(({ format }) => format === "csv")}
          onMap={(mapping) => {
            const settings = asked?.settings ?? looked.settings;
            setAsked({ mapping, settings });
            void looking.run(() => readAll(looked.files, mapping, settings, begin()));
          }}
          onSettings={({ choices: _, ...settings }) => {
            setAsked({ mapping: looked.mapping, settings });
            void looking.run(() => readAll(looked.files, {}, settings, begin()));
          }}
        />
      )}
      {looked !== null && (
        <DecisionList
          decisions={looked.decisions}
          choices={(asked?.settings ?? looked.settings).choices ?? {}}
          onChoose={(choices, kind) => {
            const settings = { ...(asked?.settings ?? looked.settings), choices };
            const mapping = asked?.mapping ?? looked.mapping;
            setAsked({ mapping, settings });
            void looking.run(() =>
              readAll(looked.files, keepsColumns(kind) ? mapping : {}, settings, begin()),
            );
          }}
        />
      )}
      {looked !== null && looked.rows.length > 0 && (
        <div class="soft small">
          <p>
            You can withdraw a row later, and its content is erased here. Before you sign, know what stays:
          </p>
          <CannotBeUndone />
        </div>
      )}
      {looked !== null && (looked.rows.length > 0 || looked.refused.length > 0) && (
        <Preview
          {...props}
          looked={looked}
          isBusy={signing.isBusy}
          isOutdated={asked !== null}
          onSign={(rowLocations) =>
            void signing.run(async () => {
              const rows = rowLocations.map((at) => looked.rows[at]!);
              const names = looked.files.map(({ name }) => name);
              const labels = rowLocations.map((at) => looked.labels[at]!);
              const agreedLicence = card.licence;
              await contributions.begin(client, {
                agreedLicence,
                card,
                datanetId: facts.id,
                names,
                rows,
                labels,
              });
              setLooked(null);
              setTyped("");
              setSignedCount((count) => count + 1);
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
  text: "Text, CSV, TSV, Excel (.xlsx), JSON, JSON Lines or Parquet: you choose the column with the text",
  passage:
    "CSV, TSV, Excel (.xlsx), JSON, JSON Lines or Parquet with prompts and answers, or with texts; chats; Word, PDF, Markdown and text files",
  table: "CSV, TSV, Excel (.xlsx), JSON, JSON Lines or Parquet with the fields of the card",
  image: "PNG, JPEG, GIF or WebP, one row per file; folders or zip files of them; Parquet with pictures",
} as const;

/** Formats in words. */
const FORMAT_NAMES: Readonly<Record<FileFormat, string>> = {
  csv: "CSV: a table separated by commas or semicolons",
  tsv: "TSV: a table separated by tabs",
  xlsx: "Excel workbook (.xlsx): a table on one of its sheets",
  json: "JSON: a list of objects",
  jsonl: "JSON Lines: one object per line",
  parquet: "Parquet",
  image: "a picture",
  zip: "a zip file of such files",
  markdown: "Markdown: one passage per heading",
  docx: "Word document: one passage per heading",
  pdf: "PDF: one passage per heading",
  whole: "text: one row",
  lines: "text: one row per line",
  paragraphs: "text: rows separated by empty lines",
};

/** Format of typed rows: JSON means its fields, a table has a line of names; otherwise a line is a row, if rows are texts. */
function typedFormat(typed: string, kind: keyof typeof FORMATS): FileFormat {
  const text = typed.trimStart();
  if (text.startsWith("[")) return "json";
  if (text.startsWith("{")) return "jsonl";
  return kind === "text" || kind === "passage" ? "lines" : "csv";
}

const TYPED: Readonly<Record<keyof typeof FORMATS, string>> = {
  text: "The sea was calm at dawn.",
  passage: '{"prompt": "Why is the sea salty?", "answer": "Rivers carry salt into it."}',
  table: "{...}, with the card's fields",
  image: "",
};

/** A file of one row, to be filled in. */
function templateOf({ fields, kind }: TabProps["facts"]["card"]["row"]): string {
  const values = { text: "…", category: "…", number: 0, boolean: true } as const;
  if (kind === "table")
    return `${JSON.stringify(Object.fromEntries(fields.map(({ name, type }) => [name, values[type]])))}\n`;
  return `${kind === "text" ? JSON.stringify({ text: TYPED.text }) : TYPED[kind]}\n`;
}

/** Rows that the host has from earlier contributions, of whichever Datanet. */
async function knownFindings(client: LedgerClient, location: TabProps["place"], { digests }: LookedAt) {
  const findings: LookedAt["findings"][number][] = [];
  for (let from = 0; from < digests.length; from += KNOWN_A_REQUEST) {
    const part = digests.slice(from, from + KNOWN_A_REQUEST);
    for (const { contributorId, datanetId, place: at } of await findKnownRows(client, {
      ...location,
      digests: part,
    })) {
      const where = datanetId === location.datanetId ? "here" : `to Datanet ${datanetId}`;
      const detail = `account ${contributorId} has committed it ${where}`;
      // In another Datanet it is no copy that costs anything; it is worth knowing all the same.
      if (datanetId === location.datanetId) findings.push({ row: from + at, kind: "duplicate", detail });
    }
  }
  return findings;
}

interface PreviewProps extends WithClient {
  readonly looked: Looked;
  readonly isBusy: boolean;
  /** True as long as the rows are not those of the contributor's last choice. */
  readonly isOutdated: boolean;
  readonly onSign: (rowLocations: readonly number[]) => void;
}

function Preview({ client, facts, isBusy, isOutdated, looked, onSign }: PreviewProps) {
  const [decided, setDecided] = useState<Parameters<typeof chooseRows>[2]>({});
  const [isRestTaken, setRestTaken] = useState(false);
  const { decisions, findings, labels, refused, rows } = looked;
  const isOpen = decisions.some((decision) => decision.isOpen);
  const chosen = chooseRows(rows.length, findings, decided, facts.card.rewards.nearDuplicates);
  const leftOutCount = rows.length - chosen.rowPlaces.length;
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
        {leftOutCount > 0 && (
          <div>
            <p class="figure">{showCount(leftOutCount)}</p>
            <p class="soft small">left out for the reasons below. Open one to change that</p>
          </div>
        )}
      </div>
      <RefusedRows refused={refused} isRestTaken={isRestTaken} onTakeRest={setRestTaken} />
      {groups.map((group) => (
        <Group
          key={group.kind}
          card={facts.card}
          group={group}
          rows={rows}
          onDecide={(isOut) => setDecided((now) => ({ ...now, [group.kind]: isOut }))}
        />
      ))}
      <FirstRows
        card={facts.card}
        rows={rowPlaces.slice(0, SHOWN_ROWS).map((at) => ({ at, row: rows[at]!, label: labels[at]! }))}
        count={rowPlaces.length}
      />
      <TermsToSign card={facts.card} />
      <div class="row">
        <Button
          isMain
          isBusy={isBusy}
          isDisabled={isOutdated || isOpen || rowPlaces.length === 0 || (refused.length > 0 && !isRestTaken)}
          onClick={() => onSign(rowPlaces)}
        >
          {isBusy ? "Storing the rows and signing …" : `Contribute ${showCounted(rowPlaces.length, "row")}`}
        </Button>
        <span class="soft small">
          Account {client.leafId} commits to their hashes. The rows leave this browser only after the commit
          is final on Ethereum, so no one can claim them first.
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
            help="You decide: no one else has seen these rows."
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
                row {showCount(rowNumber(row))}: {detail}
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
