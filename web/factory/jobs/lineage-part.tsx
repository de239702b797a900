/**
 * Part "Lineage" of a job's page: base, rows, recipe, adapter and model with their hashes, and what each contributor earned (in
 * OPEN).
 */
import type { FactoryLineage } from "@openledger/models/factory/factory-api";
import { Badge } from "../../design/badge.tsx";
import { type Column, DataTable } from "../../design/data-table.tsx";
import { Identifier } from "../../design/identifier.tsx";
import { showCount } from "../../words/format.ts";
import { LeafLink, settlementHref } from "../../words/links.tsx";
import { Open } from "../../words/open.tsx";
import { ProblemNotice } from "../../words/problem.tsx";
import { Term } from "../../words/term.tsx";
import { useFactory } from "../use-factory.ts";
import type { JobPartProps } from "./job-part.ts";

/** Interval between two requests for the lineage. */
const LOOK_MS = 5_000;

/** Origins of the model, and whom it pays. */
export function LineagePart({ factorySession, job }: JobPartProps) {
  const { problem, value } = useFactory(job.id, () => factorySession.factory.lineage(job.id), LOOK_MS);
  return (
    <>
      {problem !== null && <ProblemNotice problem={problem} />}
      {value === undefined ? problem === null && <p class="soft">Loading …</p> : <Lineage lineage={value} />}
    </>
  );
}

function Lineage({ lineage }: { lineage: FactoryLineage }) {
  const { adapterSha256, base, datanet, datasetName, model, recipeHash } = lineage;
  return (
    <>
      <ol class="lineage" aria-label="Lineage">
        <li class="card stack-s">
          <p class="soft small">Base</p>
          <h2>{base === null ? "None: trained on the rows alone" : base.name}</h2>
          <ul class="plain-list small soft">
            {Object.entries(base?.files ?? {}).map(([name, { sha256 }]) => (
              <li key={name}>
                {name} <Identifier value={sha256} label={`the hash of ${name}`} />
              </li>
            ))}
          </ul>
        </li>
        <li class="card stack-s">
          <p class="soft small">Rows</p>
          <h2>{datasetName}</h2>
          {datanet === null ? (
            <p class="soft">Rows of no Datanet, which an earlier version took.</p>
          ) : (
            [datanet, ...lineage.further].map((one) => (
              <p key={one.id} class="soft">
                <Term name="Datanet" /> <LeafLink id={one.id} />, version {one.version},{" "}
                {one.isPublic ? "readable by anyone" : "readable on request"}, licence{" "}
                {one.licence ?? "not stated"}. Root{" "}
                <Identifier value={one.rowsRoot} label="the root of the rows" />
                {one.labelsRoot !== null && (
                  <>
                    {" "}
                    · labels <Identifier value={one.labelsRoot} label="the root of the labels" />
                  </>
                )}
              </p>
            ))
          )}
        </li>
        <li class="card stack-s">
          <p class="soft small">{base === null ? "Recipe" : "Recipe and adapter"}</p>
          <h2>Reproducible by anyone</h2>
          <p class="soft">
            {recipeHash !== null && (
              <>
                Recipe <Identifier value={recipeHash} label="the hash of the recipe" /> ·{" "}
              </>
            )}
            {adapterSha256 !== null && (
              <>
                adapter <Identifier value={adapterSha256} label="the hash of the adapter" />
              </>
            )}
          </p>
          <details>
            <summary class="row small">Full recipe</summary>
            <pre class="recipe folded">{JSON.stringify(lineage.recipe, null, 2)}</pre>
          </details>
        </li>
        <li class="card stack-s">
          <p class="soft small">Model</p>
          {model === null ? (
            <h2>Not registered</h2>
          ) : (
            <>
              <div class="row">
                <h2>
                  Model <LeafLink id={model.id} />
                </h2>
                <Badge tone={model.isReady ? "good" : "wait"}>
                  {model.isReady ? "activation proven" : "activation pending"}
                </Badge>
                <Badge tone={model.isApproved ? "good" : "wait"}>
                  {model.isApproved ? "approved by the Datanet" : "not approved yet"}
                </Badge>
              </div>
              <p class="soft">
                Epoch {model.epoch}.{" "}
                {model.settlements.map(({ epoch, status }) => (
                  <span key={epoch}>
                    <a href={settlementHref(model.id, epoch)}>{sayProof(epoch)}</a> ({status}).{" "}
                  </span>
                ))}
              </p>
            </>
          )}
        </li>
      </ol>
      <People lineage={lineage} />
    </>
  );
}

type Person = FactoryLineage["people"][number];

/** A model's epoch 0 is its activation: nothing is paid in it. */
const sayProof = (epoch: number) => (epoch === 0 ? "Activation" : `Settlement of epoch ${epoch}`);

function People({ lineage: { model, people } }: { lineage: FactoryLineage }) {
  const earnedOf = ({ contributorId, validatorId }: Person) =>
    model?.earned.find((one) => one.contributorId === contributorId && one.validatorId === validatorId);
  const columns: Column<Person>[] = [
    { label: "Contributor", cell: ({ contributorId }) => <LeafLink id={contributorId} /> },
    { label: "Validator", cell: ({ validatorId }) => <LeafLink id={validatorId} /> },
    { label: "Rows", isNumber: true, cell: ({ rowCount }) => showCount(rowCount) },
    { label: "Held out", isNumber: true, cell: ({ heldOutCount }) => showCount(heldOutCount) },
    {
      label: "Earned, OPEN",
      isNumber: true,
      cell: (person) => {
        const earned = earnedOf(person);
        return earned === undefined ? (
          "–"
        ) : (
          <Open wei={BigInt(earned.contributorWei) + BigInt(earned.validatorWei)} isBare />
        );
      },
    },
  ];
  return (
    <section class="card stack">
      <h2>People</h2>
      <DataTable
        caption="Contributors and validators"
        columns={columns}
        rows={people}
        keyOf={({ contributorId, validatorId }) => `${contributorId} ${validatorId}`}
        empty="These rows are of no Datanet, so no one is paid."
      />
    </section>
  );
}
