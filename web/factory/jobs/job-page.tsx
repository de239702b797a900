/** Page "#/factory/job/ID/PART" of one job: its state, and the part that the address names, from training to lineage. */

import { kindOf } from "@openledger/models/factory/job-words";
import type { ComponentChildren } from "preact";
import { Badge } from "../../design/badge.tsx";
import type { PageProps } from "../../ledger/page.ts";
import { ProblemNotice } from "../../words/problem.tsx";
import { FACTORY_HREF, type JobPart } from "../factory-links.ts";
import type { FactorySession } from "../factory-session.ts";
import { useFactory } from "../use-factory.ts";
import { ChatPart } from "./chat-part.tsx";
import { ComparePart } from "./compare-part.tsx";
import { ExportPart } from "./export-part.tsx";
import { jobBadge } from "./job-badge.ts";
import type { JobPartProps } from "./job-part.ts";
import { LineagePart } from "./lineage-part.tsx";
import { RegisterPart } from "./register-part.tsx";
import { JobNav } from "./run-steps.tsx";
import { WatchPart } from "./watch-part.tsx";

const PARTS: Readonly<Record<JobPart, (props: JobPartProps) => ComponentChildren>> = {
  watch: (props) => <WatchPart {...props} />,
  compare: (props) => <ComparePart {...props} />,
  register: (props) => <RegisterPart {...props} />,
  chat: (props) => <ChatPart {...props} />,
  export: (props) => <ExportPart {...props} />,
  lineage: (props) => <LineagePart {...props} />,
};

/** Interval between two requests for the job. */
const LOOK_MS = 1_500;

/** Page of a job, by its number in the address: its training, and the next steps for the model. */
export function JobPage(props: PageProps & { factorySession: FactorySession; jobId: string; part: JobPart }) {
  const { factorySession, jobId, part } = props;
  const query = useFactory(`job ${jobId}`, () => factorySession.factory.job(jobId), LOOK_MS);
  const { problem, value: job } = query;
  if (job === undefined)
    return problem === null ? <p class="soft">Loading the job …</p> : <ProblemNotice problem={problem} />;
  const badge = jobBadge(job);
  return (
    <>
      <section class="stack-s">
        <p class="soft small">
          <a href={FACTORY_HREF}>Factory</a> · {kindOf(job)}
        </p>
        <div class="row">
          <h1>{job.form.name}</h1>
          <Badge tone={badge.tone}>{badge.text}</Badge>
        </div>
      </section>
      <JobNav job={job} part={part} />
      {problem !== null && <ProblemNotice problem={problem} />}
      {PARTS[part]({ ...props, job, query })}
    </>
  );
}
