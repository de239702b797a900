/**
 * Part of a model's page with its papers: written in this page from the ledger, the Datanets' hosts and the model's server, shown,
 * and downloaded.
 */

import type { WriteModelPapersReturnType } from "@openledger/client/datanets/model-papers";
import type { LedgerModelLeaf } from "@openledger/client/sequencer/model-schemas";
import { recordLeaves } from "@openledger/datanets/papers/model-facts";
import { useState } from "preact/hooks";
import { Markdown } from "../ask/markdown.tsx";
import { fetchPublished } from "../ask/served-models.ts";
import { Button } from "../design/button.tsx";
import { FactList } from "../design/fact-list.tsx";
import { Notice } from "../design/notice.tsx";
import { saveFile } from "../design/save-file.ts";
import { DelegateWord } from "../hosts/delegate-word.tsx";
import { placeOf } from "../hosts/hosts.ts";
import { readVisitor } from "../hosts/keys/visitor.ts";
import { ROW_STORE } from "../hosts/row-store.ts";
import type { PageProps } from "../ledger/page.ts";
import { useAction } from "../ledger/use-action.ts";
import { showCount, showCounted } from "../words/format.ts";
import { LeafLink } from "../words/links.tsx";
import { type Problem, ProblemNotice } from "../words/problem.tsx";

type ModelProps = PageProps & { model: LedgerModelLeaf };

/** Papers of a model, where the site has a Datanet host. */
export function ModelPapers({ live, model, site }: ModelProps) {
  const writing = useAction();
  const [step, setStep] = useState("");
  const [written, setWritten] = useState<Written | null>(null);
  const visitor = readVisitor(site, live);
  if (visitor === null || site.datanetHosts.length === 0) return null;
  const write = () =>
    writing.run(async () => setWritten(await writePapers({ site, visitor }, model.id, setStep)));
  return (
    <section class="card stack" aria-label="Papers">
      <h2>Papers</h2>
      <p class="soft small">
        A model card, a summary of the training data after the template of the EU's AI Act, and a Croissant
        file of each version. This page writes them from the ledger and from signed records, and the same
        ledger gives everyone the same files. Check given ones:{" "}
        <code>openledger verify papers {model.id} FOLDER</code>.
      </p>
      <p class="row">
        <Button isBusy={writing.isBusy} onClick={() => void write()}>
          {written === null ? "Write the papers" : "Write them again"}
        </Button>
        <span class="soft small" role="status">
          {writing.isBusy ? step : ""}
        </span>
      </p>
      {writing.problem !== null && <ProblemNotice problem={writing.problem} />}
      {written !== null && <Papers {...written} live={live} site={site} />}
    </section>
  );
}

interface Written extends WriteModelPapersReturnType {
  /** Error of the server that did not show the recipe; null if it did, or if no server has the model. */
  readonly recipeProblem: Problem | null;
}

function Papers({ facts, live, papers, recipeProblem, site }: Written & Pick<PageProps, "live" | "site">) {
  const described = facts.datanets.flatMap(({ described: one }) => (one === null ? [] : [one]));
  const licences = [...new Set(described.map(({ card }) => card.licence))];
  const languages = [...new Set(described.flatMap(({ card }) => card.languages))];
  const contributors = new Set(
    [facts.contributors, ...described.map((one) => one.facts.contributors)]
      .flat()
      .map(({ leafId }) => leafId),
  );
  return (
    <>
      {facts.recipe === null && (
        <Notice tone="wait" title="The papers say that the model's recipe is not known">
          {recipeProblem === null ? (
            <p>No server of this site has the model.</p>
          ) : (
            <ProblemNotice problem={recipeProblem} />
          )}
        </Notice>
      )}
      {facts.datanets.some(({ described: one }) => one === null) && (
        <Notice tone="wait" title="No host of this site has every version that the model was trained on">
          <p>The papers say of these what the ledger has, and there is no Croissant file of them.</p>
        </Notice>
      )}
      <FactList
        facts={[
          ["Rows", showCount(facts.rowCount)],
          ["Contributors", showCount(contributors.size)],
          ["Licences of the rows", licences.join(", ") || "not known"],
          ["Languages", languages.join(", ") || "not known"],
          ["Recomputed by", showCounted(facts.recomputations.length, "account")],
        ]}
      />
      {[...new Set(recordLeaves(facts))].map((id) => (
        <p key={id} class="row">
          <LeafLink id={id} /> <DelegateWord leafId={id} live={live} site={site} />
        </p>
      ))}
      <div class="stack">
        {papers.map(({ name, text }) => (
          <div key={name} class="stack-s">
            <div class="row">
              <code>{name}</code>
              <span class="push" />
              <Button isSmall onClick={() => saveFile(name, new TextEncoder().encode(text))}>
                Download <span class="visually-hidden">{name}</span>
              </Button>
            </div>
            <details>
              <summary class="row small">
                Read it<span class="visually-hidden"> here: {name}</span>
              </summary>
              {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls is reached by keys */}
              <section class="paper folded" tabIndex={0} aria-label={name}>
                {name.endsWith(".md") ? <Markdown text={bodyOf(text)} /> : <pre class="recipe">{text}</pre>}
              </section>
            </details>
          </div>
        ))}
      </div>
    </>
  );
}

/** A paper without the head that only programs read. */
const bodyOf = (text: string): string => text.replace(/^---\n[\s\S]*?\n---\n/, "");

async function writePapers(
  { site, visitor }: Pick<PageProps, "site"> & { visitor: NonNullable<ReturnType<typeof readVisitor>> },
  modelId: number,
  onProgress: (step: string) => void,
): Promise<Written> {
  const { reader } = visitor;
  onProgress("fetching the recipe");
  const [{ writeModelPapers }, { openRowStore }] = await Promise.all([
    import("@openledger/client/datanets/model-papers"),
    import("@openledger/client/actions/data/row-store"),
  ]);
  const { problem: recipeProblem, published } = await fetchPublished(site, modelId);
  const written = await writeModelPapers(reader, {
    modelId,
    hostUrlOf: async (datanetId) => (await placeOf(site, reader, datanetId)).place.hostUrl,
    store: await openRowStore(ROW_STORE),
    onProgress,
    ...(published === null ? {} : { published }),
  });
  return { ...written, recipeProblem };
}
