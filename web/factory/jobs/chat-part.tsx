/**
 * Part "Chat" of a job's page: paid questions to the registered model through its answer server, and free ones at the factory.
 */
import { ModelQuestion } from "../../ask/ask-page.tsx";
import { findRegistered } from "../../ask/listed-adapters.ts";
import { findServedModels, type ServedModel } from "../../ask/served-models.ts";
import { Notice } from "../../design/notice.tsx";
import type { Site } from "../../ledger/site.ts";
import { useAnswer } from "../../ledger/use-answer.ts";
import { jobHref } from "../factory-links.ts";
import type { JobPartProps } from "./job-part.ts";
import { TryModel } from "./try-model.tsx";

/** Chat with the model: paid if it is registered and served, else for free at the factory. */
export function ChatPart(props: JobPartProps) {
  const { job, live, site } = props;
  const { value: served } = useAnswer(live, "served models", async () =>
    job.modelId === null ? null : servedModel(site, job.modelId),
  );
  return (
    <>
      {served !== undefined && served !== null ? (
        <>
          <p class="soft">
            You pay the model's price and see which rows the answer pays. This page checks the answer before
            you pay.
          </p>
          <ModelQuestion {...props} model={served} />
        </>
      ) : (
        served === null && <NotServed job={job} />
      )}
      <TryModel {...props} />
    </>
  );
}

/** Finds a model behind a server of its own, or as one of many adapters; null if nobody has it. */
async function servedModel(site: Site, modelId: number): Promise<ServedModel | null> {
  const { models } = await findServedModels(site);
  return models.find((model) => model.modelId === modelId) ?? findRegistered(site, modelId);
}

function NotServed({ job }: Pick<JobPartProps, "job">) {
  return (
    <Notice tone="info" title="Answers that pay rows come from an answer server.">
      <p>
        {job.modelId === null ? (
          <>
            <a href={jobHref(job.id, "register")}>Register the model</a> first.
          </>
        ) : (
          <>
            No server answers for model {job.modelId} yet.{" "}
            <a href={jobHref(job.id, "register")}>Serve it at this factory</a>.
          </>
        )}
      </p>
    </Notice>
  );
}
