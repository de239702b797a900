/**
 * List of sources below an answer on the Ask page: the rows that it cites, then those that it used most, with their texts and
 * the amount that each gets.
 */
import type { UncheckedAnswer } from "@openledger/client/actions/answers/model-answers";
import { rowNumber } from "@openledger/foundation/row-number";
import { type Cited, fetchRow, type PublishedRow } from "@openledger/models/tuning/retrieval/citations";
import { useEffect, useState } from "preact/hooks";
import { Badge } from "../design/badge.tsx";
import { datanetHref } from "../hosts/tab-props.ts";
import { askUntilAnswered } from "../ledger/ask-again.ts";
import { MAX_THUMBNAIL_BYTES, pictureAddress } from "../rows/picture-address.ts";
import { publishesRows } from "../rows/publishes-rows.ts";
import { RowText } from "../rows/row-text.tsx";
import { showCount } from "../words/format.ts";
import { hostedDatanet } from "../words/leaf-names.ts";
import { LeafLink } from "../words/links.tsx";
import { Open } from "../words/open.tsx";
import { type Problem, ProblemNotice } from "../words/problem.tsx";
import type { ServedModel } from "./served-models.ts";

type Estimate = UncheckedAnswer["estimate"];
type PaidRow = Estimate["topRows"][number];
type RowAgainst = NonNullable<Estimate["rowsAgainst"]>[number];
/** Paid row, with its digest if the answer cites it. */
type Row = Pick<PaidRow, "contributorId" | "row" | "validatorId"> & {
  /** Part of the reward; null for a row against the answer, which is not paid. */
  readonly share: number | null;
  readonly digest?: string;
};

/** Rows that are shown, cited ones included. */
const SHOWN = 5;
/** Rows against an answer that are shown. */
const SHOWN_AGAINST = 3;
/** Characters of a row. */
const EXCERPT_CHARACTERS = 280;
/** Shares are rounded to billionths, so that amounts stay bigint. */
const PARTS = 1_000_000_000n;
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
/** Computes a share of an amount. An estimate, so an error of a billionth does not matter. */
const partOf = (wei: bigint, share: number) => (wei * BigInt(Math.round(share * Number(PARTS)))) / PARTS;

interface SourcesProps {
  readonly model: ServedModel;
  readonly rows: readonly PaidRow[];
  /** Rows that spoke against the answer, the lowest score first. */
  readonly against: readonly RowAgainst[];
  readonly cited: Cited | null;
}

export function Sources({ against, cited, model, rows }: SourcesProps) {
  const read = cited?.citations ?? [];
  const sources: Row[] = read.map((one) => ({
    ...one,
    share: rows.find(({ row }) => row === one.row)?.share ?? 0,
  }));
  const helpful = rows.filter(({ row, share }) => share > 0 && !read.some((one) => one.row === row));
  sources.push(...helpful.slice(0, Math.max(0, SHOWN - sources.length)));
  if (sources.length === 0) return <p class="soft">No row stands out, so all rows share equally.</p>;
  return (
    <>
      <ol class="sources" aria-label="Rows that helped most">
        {sources.map((row) => (
          <Source key={row.row} model={model} row={row} />
        ))}
      </ol>
      {against.length > 0 && (
        <>
          <h3>Rows against it</h3>
          <ol class="sources" aria-label="Rows against it">
            {against.slice(0, SHOWN_AGAINST).map((row) => (
              <Source key={row.row} model={model} row={{ ...row, share: null }} />
            ))}
          </ol>
        </>
      )}
    </>
  );
}

function Source({ model, row }: { model: ServedModel; row: Row }) {
  const { contributorId, digest, share, validatorId } = row;
  const [published, problem] = usePublished(model.serverUrl, row.row, digest);
  // Of several Datanets the page does not know which has the row.
  const [datanetId, ...others] = model.datanetIds;
  const isLinked = others.length === 0 && hostedDatanet(datanetId!) !== null;
  return (
    <li class="stack-s">
      <div class="row small">
        {published == null || !isLinked ? (
          <strong>Row {showCount(rowNumber(row.row))}</strong>
        ) : (
          <a href={datanetHref(datanetId!, `row/${published.digest}`)}>Row {showCount(rowNumber(row.row))}</a>
        )}
        {digest !== undefined && <Badge tone="plain">cited</Badge>}
        {share !== null && (
          <span class="push">
            {percent(share)} · ≈ <Open wei={partOf(model.rewardWei, share)} />
          </span>
        )}
      </div>
      {problem !== null && <ProblemNotice problem={problem} />}
      {published != null && <SourceRow row={published} />}
      <p class="soft small">
        by <LeafLink id={contributorId} />, validated by <LeafLink id={validatorId} />
        {published === null && " · not published"}
      </p>
    </li>
  );
}

/** A row's text, or its picture. */
function SourceRow({ row: { content, text } }: { row: PublishedRow }) {
  const address = content.length <= MAX_THUMBNAIL_BYTES ? pictureAddress(content) : null;
  if (address !== null) return <img class="source-picture" src={address} alt="This row" />;
  return (
    <p class="small source-text">
      <RowText text={excerpt(text)} />
    </p>
  );
}

const excerpt = (text: string) =>
  text.length <= EXCERPT_CHARACTERS ? text : `${text.slice(0, EXCERPT_CHARACTERS)}…`;

/**
 * Fetches a row: undefined until it is there, null if the server does not publish it. Any row but the cited one is an
 * error.
 */
function usePublished(serverUrl: string, row: number, digest: string | undefined) {
  const [published, setPublished] = useState<PublishedRow | null | undefined>(undefined);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    return askUntilAnswered(
      async () => ((await publishesRows(serverUrl)) ? fetchRow(serverUrl, row, digest) : null),
      (outcome) => {
        setPublished(outcome.state === "found" ? outcome.value : null);
        setProblem(outcome.state === "found" || digest === undefined ? null : outcome.problem);
      },
    );
  }, [serverUrl, row, digest]);
  return [published, problem] as const;
}
