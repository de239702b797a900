/**
 * Section "Rows at work" of the earnings page: each use of the account's rows by a paid answer, in wei, as estimate or as
 * proven, and all of them as CSV.
 */
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { rowNumber } from "@openledger/foundation/row-number";
import { Badge } from "../design/badge.tsx";
import { Button } from "../design/button.tsx";
import { type Column, DataTable } from "../design/data-table.tsx";
import { saveFile } from "../design/save-file.ts";
import type { PageProps } from "../ledger/page.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { RowText } from "../rows/row-text.tsx";
import { showAge, showCount, showParts } from "../words/format.ts";
import { answerHref, LeafLink, settlementHref } from "../words/links.tsx";
import { Open } from "../words/open.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { Term } from "../words/term.tsx";
import "../rows/first-rows.css";
import type { Reward } from "./account-earnings.ts";
import type { EpochUses, RowUse } from "./row-uses.ts";
import { shownOf } from "./shown-uses.ts";

/** Maximum uses shown of one epoch; the file has all. */
const SHOWN = 20;
/** Characters of a row in the table. */
const EXCERPT_CHARACTERS = 140;
/** Time for which a use is news. */
const NEWS_MS = 60_000;

interface RowsAtWorkProps extends Pick<PageProps, "live" | "site"> {
  readonly leafId: number;
  readonly rewards: readonly Reward[];
}

/** Each of the account's rows that an answer used: a few seconds after the payment as an estimate, later as proven. */
export function RowsAtWork({ leafId, live, rewards, site }: RowsAtWorkProps) {
  const shares = rewards.map(({ modelId, payeeIndex, role }) => `${modelId} ${payeeIndex} ${role}`);
  const { problem, value } = useAnswer(live, `row uses ${leafId} ${shares.join()}`, async () => {
    const { readRowUses } = await import("./row-uses.ts");
    return readRowUses(site, leafId, rewards);
  });
  const newest = value?.epochs[0]?.uses[0];
  const isEvents = newest?.paidAtMs != null && live.nowMs.value - newest.paidAtMs < NEWS_MS;
  return (
    <section class="card stack" aria-label="Rows at work">
      <div class="row">
        <h2>Rows at work</h2>
        <span class="push" />
        {value !== undefined && value.epochs.length > 0 && (
          <Button isSmall onClick={() => saveFile(`rows-of-account-${leafId}.csv`, csvOf(value.epochs))}>
            Download CSV
          </Button>
        )}
      </div>
      <p aria-live="polite">
        {isEvents && (
          <>
            <Badge tone="good">new</Badge> Row {showCount(rowNumber(newest.row))} was used{" "}
            {showAge(newest.paidAtMs!, live.nowMs.value)}
          </>
        )}
      </p>
      {problem !== null && <ProblemNotice problem={problem} />}
      {value === undefined && problem === null && <p class="soft">Loading answers that used them …</p>}
      {value?.epochs.length === 0 && value.hiddenModels.length === 0 && (
        <p class="soft">No paid answer has used these rows yet. New ones appear here within seconds.</p>
      )}
      {(value?.epochs ?? []).map((group) => (
        <Group key={`${group.modelId} ${group.epoch}`} {...group} live={live} />
      ))}
      {value !== undefined && value.epochs.length > 0 && (
        <p class="soft small">
          Computed in your browser from data that answer servers publish. Sums are of all your rows; a list
          shows the best-paid ones of the newest answers. Estimates (≈) are what a row gets on average; a
          settled <Term name="epoch">epoch</Term> has proven amounts.
        </p>
      )}
      {value !== undefined && value.hiddenModels.length > 0 && (
        <p class="soft small">
          No known server serves model {value.hiddenModels.join(", ")}, so its rows are not listed.
        </p>
      )}
    </section>
  );
}

/** Joins the lines of an excerpt, so that it breaks where there is room: on a phone, too. */
const excerptOf = (text: string) => text.replaceAll(/\s+/g, " ").slice(0, EXCERPT_CHARACTERS);

type ShownUse = RowUse & { readonly shown: string };

function Group(props: EpochUses & Pick<PageProps, "live">) {
  const { epoch, isProven, live, modelId, sumWei } = props;
  const { otherCount, otherWei, shown } = shownOf(props, SHOWN);
  const hasOthers = otherWei > 0n;
  const written = showParts([...shown.map(({ wei }) => wei), ...(hasOthers ? [otherWei] : [])]);
  const rows = shown.map((use, i): ShownUse => ({ ...use, shown: written.parts[i]! }));
  const columns: Column<ShownUse>[] = [
    { label: "Row", cell: ({ row }) => showCount(rowNumber(row)) },
    {
      label: "Content",
      cell: ({ said }) =>
        said === null ? (
          <span class="soft">not published</span>
        ) : said.picture === null ? (
          <RowText text={excerptOf(said.text)} />
        ) : (
          <img class="row-thumbnail" src={said.picture} alt="This row" />
        ),
    },
    {
      label: "Used",
      cell: ({ paidAtMs, payment }) => (
        <a href={answerHref(payment)}>
          {paidAtMs === null ? "in an answer" : showAge(paidAtMs, live.nowMs.value)}
        </a>
      ),
    },
    {
      label: "OPEN",
      isNumber: true,
      cell: ({ isProven: isSure, shown, wei }) => (
        <>
          {!isSure && "≈ "}
          <Open wei={wei} shown={shown} isBare />
        </>
      ),
    },
  ];
  return (
    <div class="stack-s">
      <div class="row">
        <h3>
          Model <LeafLink id={modelId} />, epoch{" "}
          {isProven ? <a href={settlementHref(modelId, epoch)}>{showCount(epoch)}</a> : showCount(epoch)}
        </h3>
        <Badge tone={isProven ? "good" : "wait"}>{isProven ? "proven" : "estimated"}</Badge>
        <span class="push soft">
          {!isProven && "≈ "}
          <Open wei={sumWei} shown={written.sum} />
        </span>
      </div>
      <DataTable
        caption={`Rows that answers of model ${modelId} used in epoch ${epoch}`}
        columns={columns}
        rows={rows}
        keyOf={({ payment, row }) => `${payment} ${row}`}
        empty="None."
      />
      {hasOthers && (
        <p class="row">
          Other rows{otherCount > 0 && `: ${showCount(otherCount)} uses, which the CSV file has`}
          <span class="push">
            {!isProven && "≈ "}
            <Open wei={otherWei} shown={written.parts.at(-1)!} />
          </span>
        </p>
      )}
    </div>
  );
}

const HEAD = ["model", "epoch", "row", "state", "open", "wei", "paid_at", "payment", "text"];

/** All uses, and of each epoch a line with what is in none of them, so that the lines sum up. */
function csvOf(epochs: readonly EpochUses[]): Uint8Array {
  const lines = epochs.flatMap((one) => {
    const { otherWei } = shownOf(one, one.uses.length);
    const { epoch, isProven, modelId } = one;
    const state = isProven ? "proven" : "estimated";
    const others = [
      `${modelId}`,
      `${epoch}`,
      "other",
      state,
      formatOpen(otherWei),
      `${otherWei}`,
      "",
      "",
      "",
    ];
    return [...linesOf(one.uses), ...(otherWei > 0n ? [others] : [])];
  });
  return new TextEncoder().encode(
    [HEAD, ...lines].map((line) => `${line.map(csvCell).join(",")}\r\n`).join(""),
  );
}

const linesOf = (uses: readonly RowUse[]): string[][] =>
  uses.map(({ epoch, isProven, modelId, paidAtMs, payment, row, said, wei }) => [
    ...[
      `${modelId}`,
      `${epoch}`,
      `${rowNumber(row)}`,
      isProven ? "proven" : "estimated",
      formatOpen(wei),
      `${wei}`,
    ],
    ...[paidAtMs === null ? "" : new Date(paidAtMs).toISOString(), payment, said?.text ?? ""],
  ]);

/** Attack: a row of a stranger that begins like a formula would be computed by the one who opens the file. */
function csvCell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
