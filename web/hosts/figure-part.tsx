/**
 * Figure of a model on rows that it had not seen, as the pages of Ask and of models show it: signed by the model's leaf, beside plain
 * baselines, with who has recomputed it. What its leaf has not signed is not shown; the reason is.
 */
import type { ReadFigureReturnType } from "@openledger/client/actions/answers/model-figure";
import { type Column, DataTable } from "../design/data-table.tsx";
import { Notice } from "../design/notice.tsx";
import type { PageProps } from "../ledger/page.ts";
import { type Answer, useAnswer } from "../ledger/use-answer.ts";
import { showCount } from "../words/format.ts";
import { readVisitor } from "./keys/visitor.ts";
import { useRecomputations, type Verification } from "./recomputations.ts";

interface FiguredModel {
  readonly modelId: number;
  readonly datanetIds: readonly number[];
}

interface FigureProps extends Pick<PageProps, "live" | "site"> {
  readonly model: FiguredModel;
  /** Finds the address below which the model's server has its routes; null for none. */
  readonly findServer: () => Promise<string | null>;
}

interface Figure {
  readonly found: ReadFigureReturnType;
  line(verifications: readonly Verification[] | null, you: number | null): string | null;
}

type Label = Extract<ReadFigureReturnType, { state: "signed" }>["signed"]["body"]["figure"]["labels"][number];

/** Reads the figure once for each model: signatures are checked in the page, by code that other pages do not need. */
function useFigure({ findServer, live, model: { modelId }, site }: FigureProps): Answer<Figure | null> {
  const reader = readVisitor(site, live)?.reader ?? null;
  return useAnswer(live, `figure ${modelId} ${reader !== null}`, async () => {
    const serverUrl = reader === null ? null : await findServer();
    if (reader === null || serverUrl === null) return null;
    const { figureChecks, figureLine, readFigure } = await import(
      "@openledger/client/actions/answers/model-figure"
    );
    const found = await readFigure(reader, { serverUrl, modelId });
    return {
      found,
      line(verifications, you) {
        const isChecked = verifications !== null && found.state === "signed";
        return figureLine(found, isChecked ? figureChecks(verifications, found.id, you) : null);
      },
    };
  });
}

/** Sentence about the figure; nothing where the model's server shows none. `isWhole` adds the labels. */
export function FigurePart({ isWhole = false, ...props }: FigureProps & { readonly isWhole?: boolean }) {
  const { live, model, site } = props;
  const figure = useFigure(props).value ?? null;
  const recomputed = useRecomputations({ live, site }, model).value?.verifications;
  const you = readVisitor(site, live)?.account?.id ?? null;
  if (figure === null || figure.found.state === "none") return null;
  const line = figure.line(site.datanetHosts.length === 0 ? null : (recomputed ?? null), you);
  if (figure.found.state === "refused")
    return (
      <Notice tone="wait" title="This model's figure of unseen rows counts for nothing.">
        <p>It is {line}.</p>
      </Notice>
    );
  const { figure: counts } = figure.found.signed.body;
  const sentence = (
    <p>
      Of {showCount(counts.foldCount)} parts of its rows each was judged by a model of the others: {line}.
    </p>
  );
  if (!isWhole)
    return (
      <section class="small" aria-label="Figure of unseen rows">
        {sentence}
      </section>
    );
  return (
    <section class="card stack" aria-label="Figure of unseen rows">
      <h2>Figure of unseen rows</h2>
      {sentence}
      <DataTable
        caption="Right by label"
        columns={COLUMNS}
        rows={counts.labels}
        keyOf={({ label }) => label}
        empty="No label has rows."
      />
      <p class="soft small">
        Near copies were in one part{counts.isByContributor && ", and so were the rows of one contributor"}.
        Compute it again: <code>openledger verify model {model.modelId}</code>.
      </p>
    </section>
  );
}

const COLUMNS: Column<Label>[] = [
  { label: "Label", cell: ({ label }) => label },
  { label: "Rows", isNumber: true, cell: ({ rowCount }) => showCount(rowCount) },
  { label: "Right", isNumber: true, cell: ({ rightCount }) => showCount(rightCount) },
];
