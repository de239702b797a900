/**
 * Page "#/factory/new/rows/ROWS": what a data set can become. Rows with labels become a model that sorts or predicts, others one
 * that writes; a use that is not possible says why, and what to change.
 */
import { useOfKind } from "@openledger/attribution/rows/row-kinds";
import type { FactoryDataset } from "@openledger/models/factory/factory-api";
import { Notice } from "../../design/notice.tsx";
import { datanetHref as datanetPage } from "../../hosts/tab-props.ts";
import type { PageProps } from "../../ledger/page.ts";
import { showCounted } from "../../words/format.ts";
import { ProblemNotice } from "../../words/problem.tsx";
import { formHref } from "../factory-links.ts";
import type { FactorySession } from "../factory-session.ts";
import { ChoiceSteps } from "../jobs/run-steps.tsx";
import { useFactory } from "../use-factory.ts";
import { BaseChoice } from "./base-choice.tsx";
import { MoreDatanets } from "./more-datanets.tsx";
import { USE_TITLES } from "./use-words.ts";

interface UseChoiceProps extends PageProps {
  readonly factorySession: FactorySession;
  readonly datasetId: string;
}

/** The second choice: what the rows become. */
export function UseChoice(props: UseChoiceProps) {
  const { datasetId, factorySession } = props;
  const { problem, value: dataset } = useFactory(`dataset ${datasetId}`, () =>
    factorySession.factory.dataset(datasetId),
  );
  return (
    <>
      <ChoiceSteps at={1} />
      {problem !== null && <ProblemNotice problem={problem} />}
      {dataset === undefined ? (
        problem === null && <p class="soft">Loading …</p>
      ) : (
        <>
          <section class="stack">
            <h1>{dataset.name}</h1>
            <p class="lead">
              {showCounted(dataset.rowCount, "row")}
              {dataset.datanet !== null && `, licence ${dataset.datanet.licence ?? "not stated"}`}. Choose
              what to train.
            </p>
          </section>
          {dataset.uses.map((one) => (
            <Use key={one.use} dataset={dataset} {...one} />
          ))}
          {useOfKind(dataset.rowKind) === "write" && (
            <BaseChoice datasetId={datasetId} factorySession={factorySession} />
          )}
          <MoreDatanets {...props} dataset={dataset} />
        </>
      )}
    </>
  );
}

type UseProps = FactoryDataset["uses"][number] & { readonly dataset: FactoryDataset };

function Use({ dataset, remedy, use, whyNot }: UseProps) {
  if (whyNot !== null) {
    return (
      <Notice tone="wait" title={`${USE_TITLES[use]} is not possible yet: ${whyNot}.`}>
        <p>
          {dataset.datanet === null ? (
            remedy
          ) : (
            <>
              To change that: {remedy}. <a href={datanetPage(dataset.datanet.id)}>Open the Datanet</a>
            </>
          )}
        </p>
      </Notice>
    );
  }
  if (use === "write") return null;
  return (
    <section class="card stack" aria-label={USE_TITLES[use]}>
      <h2>{USE_TITLES[use]}</h2>
      <p class="soft">
        It answers with one of the labels and names the rows that support it. Each paid answer is proven and
        pays those rows. Trains in seconds, without a base model.
      </p>
      <ul class="label-counts">
        {dataset.labels!.map(({ name, rowCount }) => (
          <li key={name}>
            <strong>{name}</strong> <span class="soft">{showCounted(rowCount, "row")}</span>
          </li>
        ))}
      </ul>
      <div class="row">
        <a class="button button-main" href={formHref(dataset.id, null)}>
          {use === "sort" ? "Train a classifier" : "Train a predictor"}
        </a>
      </div>
    </section>
  );
}
