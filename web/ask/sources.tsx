/** The rows that an answer used most, with their text. */
import { requestModelServer, type UncheckedAnswer } from "@openledger/client/actions/answers/model-answers";
import { fetchRow, type PublishedRow } from "@openledger/models/retrieval/citations";
import { useEffect, useState } from "preact/hooks";
import { z } from "zod";
import { RowText } from "../hosted/rows/row-text.tsx";
import { datanetHref } from "../hosted/tab-props.ts";
import { hostedDatanet } from "../words/leaf-names.ts";
import { LeafLink } from "../words/links.tsx";
import { Open } from "../words/open.tsx";
import type { ServedModel } from "./served-models.ts";

type Row = UncheckedAnswer["estimate"]["topRows"][number];

const SHOWN = 5;
const EXCERPT_CHARACTERS = 280;
const PARTS = 1_000_000_000n;
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
/** Of an amount; an estimate, so a billionth more or less does not matter. */
const partOf = (wei: bigint, share: number) => (wei * BigInt(Math.round(share * Number(PARTS)))) / PARTS;

interface SourcesProps {
  readonly model: ServedModel;
  readonly rows: readonly Row[];
  /** Rows whose text the answer itself shows. */
  readonly isCited: boolean;
}

export function Sources({ isCited, model, rows }: SourcesProps) {
  const helpful = rows.filter(({ share }) => share > 0).slice(0, SHOWN);
  if (helpful.length === 0)
    return <p class="soft">No row scores above the others: all rows share equally.</p>;
  return (
    <ol class="sources" aria-label="The rows that helped most">
      {helpful.map((row) => (
        <Source key={row.row} model={model} row={row} isCited={isCited} />
      ))}
    </ol>
  );
}

function Source({ isCited, model, row }: { model: ServedModel; row: Row; isCited: boolean }) {
  const published = usePublished(model.serverUrl, row.row);
  const { contributorId, share, validatorId } = row;
  return (
    <li class="stack-s">
      <div class="row small">
        {published == null || hostedDatanet(model.datanetId) === null ? (
          <strong>Row {row.row}</strong>
        ) : (
          <a href={datanetHref(model.datanetId, `row/${published.digest}`)}>Row {row.row}</a>
        )}
        <span class="push">
          {percent(share)} · ≈ <Open wei={partOf(model.rewardWei, share)} />
        </span>
      </div>
      {!isCited && published != null && (
        <p class="small source-text">
          <RowText text={excerpt(published.text)} />
        </p>
      )}
      <p class="soft small">
        by <LeafLink id={contributorId} />, validated by <LeafLink id={validatorId} />
        {published === null && " · not published"}
      </p>
    </li>
  );
}

const excerpt = (text: string) =>
  text.length <= EXCERPT_CHARACTERS ? text : `${text.slice(0, EXCERPT_CHARACTERS)}…`;

const TIMEOUT_MS = 10_000;
const manifestSchema = z.object({ manifest: z.object({ files: z.record(z.string(), z.unknown()) }) });
const publishing = new Map<string, Promise<boolean>>();

/** Asked once a server: without it each row would be asked for in vain. */
function publishesRows(serverUrl: string): Promise<boolean> {
  const known = publishing.get(serverUrl);
  if (known !== undefined) return known;
  const asked = requestModelServer(
    { requestTimeoutMs: TIMEOUT_MS },
    serverUrl,
    "/v1/model",
    manifestSchema,
  ).then(({ manifest }) => Object.hasOwn(manifest.files, "rows.jsonl"));
  publishing.set(serverUrl, asked);
  asked.catch(() => publishing.delete(serverUrl));
  return asked;
}

/** undefined while it is asked for, null where the server does not publish it. */
function usePublished(serverUrl: string, row: number): PublishedRow | null | undefined {
  const [published, setPublished] = useState<PublishedRow | null | undefined>(undefined);
  useEffect(() => {
    publishesRows(serverUrl)
      .then((isPublished) => (isPublished ? fetchRow(serverUrl, row) : null))
      .then(setPublished, () => setPublished(null));
  }, [serverUrl, row]);
  return published;
}
