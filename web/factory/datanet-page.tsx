/**
 * Page "#/factory/new/datanet/…" before a job: a model builder reads a Datanet's card, asks for access if it needs any, and
 * has the factory fetch the rows.
 */
import { getHostedDatanet } from "@openledger/client/datanets/datanet-card";
import type { HostedDatanetFacts } from "@openledger/client/datanets/host-schemas";
import { type AccessList, listAccess } from "@openledger/client/datanets/signed-records";
import { useEffect, useState } from "preact/hooks";
import { Badge } from "../design/badge.tsx";
import { Button } from "../design/button.tsx";
import { Notice } from "../design/notice.tsx";
import { approvalTime } from "../hosts/approval-time.ts";
import { UnsignedCheck } from "../hosts/unsigned-records.tsx";
import type { PageProps } from "../ledger/page.ts";
import { useAction } from "../ledger/use-action.ts";
import { showCounted, showDuration } from "../words/format.ts";
import { LeafLink } from "../words/links.tsx";
import { type Problem, ProblemNotice, problemOf } from "../words/problem.tsx";
import { AccessRequest } from "./access-request.tsx";
import { formHref, NEW_HREF, useHref } from "./factory-links.ts";
import type { FactorySession } from "./factory-session.ts";
import { becomes } from "./form/use-words.ts";
import { ChoiceSteps } from "./jobs/run-steps.tsx";

interface DatanetPageProps extends PageProps {
  readonly factorySession: FactorySession;
  readonly hostUrl: string;
  readonly datanetId: number;
}

interface Seen {
  readonly facts: HostedDatanetFacts;
  readonly access: AccessList;
}

/** Interval between two looks at the host: the owner's answer may come at any moment. */
const LOOK_MS = 2_000;

/** Page of one Datanet: its facts, its users, and its rows brought to the factory. */
export function DatanetPage({ datanetId, factorySession, hostUrl, live }: DatanetPageProps) {
  const [seen, setSeen] = useState<Seen | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [withoutUnsigned, setWithoutUnsigned] = useState(false);
  const bringing = useAction();
  const look = async () => {
    try {
      const location = { hostUrl, datanetId };
      const [facts, { requests: access }] = await Promise.all([
        getHostedDatanet(factorySession.client, location),
        listAccess(factorySession.client, location),
      ]);
      setSeen({ facts, access });
      setProblem(null);
    } catch (error) {
      setProblem(problemOf(error));
    }
  };
  useEffect(() => {
    void look();
    const timer = setInterval(() => void look(), LOOK_MS);
    return () => clearInterval(timer);
  }, [hostUrl, datanetId]);
  const bring = () =>
    bringing.run(async () => {
      const request = { kind: "datanet", hostUrl, datanetId, version: null, withoutUnsigned } as const;
      const made = await factorySession.factory.addDataset(request);
      // One possible model without a choice of base: on to its settings.
      const [only, ...others] = made.uses;
      const isPlain = only?.whyNot === null && only.use !== "write" && others.length === 0;
      window.location.hash = isPlain ? formHref(made.id, null) : useHref(made.id);
    });
  const steps = <ChoiceSteps at={0} />;
  if (seen === null) {
    return (
      <>
        {steps}
        {problem === null ? <p class="soft">Loading …</p> : <ProblemNotice problem={problem} />}
      </>
    );
  }
  const { access, facts } = seen;
  const { card, ledger } = facts;
  const mine = access.filter(({ leafId }) => leafId === factorySession.leafId).at(-1) ?? null;
  const isGranted = mine?.answer?.answer === "grant" && mine.answer.untilMs > Date.now();
  const isOfTeam =
    datanetId === factorySession.leafId || card.labelling.reviewers.includes(factorySession.leafId);
  const mayUse = card.access === "public" || isGranted || isOfTeam;
  return (
    <>
      {steps}
      <section class="stack">
        <p class="small">
          <a href={NEW_HREF}>All Datanets</a>
        </p>
        <h1>{card.name}</h1>
        <p class="lead">{card.description}</p>
        <p>
          {becomes(
            card.row.kind,
            card.labels.map((label) => label.name),
          )}
        </p>
      </section>
      {problem !== null && <ProblemNotice problem={problem} />}
      <div class="beside">
        <section class="card stack">
          <h2>About this Datanet</h2>
          <dl class="facts">
            <dt>Datanet</dt>
            <dd>
              <LeafLink id={datanetId} />
            </dd>
            <dt>Version</dt>
            <dd>
              {ledger.version}, {showCounted(ledger.rowCount, "row")}
            </dd>
            <dt>Field</dt>
            <dd>{card.field}</dd>
            <dt>Licence</dt>
            <dd>{card.licence}</dd>
            <dt>Languages</dt>
            <dd>{card.languages.join(", ") || "–"}</dd>
            <dt>Contact</dt>
            <dd>{card.contact}</dd>
          </dl>
          {!facts.isCardCurrent && (
            <Notice tone="wait" title="The host shows an outdated card.">
              <p>The ledger has a newer card. Ask the contact what changed.</p>
            </Notice>
          )}
        </section>
        <section class="card stack" aria-label="Access">
          <div class="row">
            <h2>Access</h2>
            {mayUse ? (
              <Badge tone="good">yes</Badge>
            ) : (
              <Badge tone="wait">
                {mine === null ? "not requested" : mine.answer === null ? "asked" : "no"}
              </Badge>
            )}
          </div>
          {mayUse ? (
            <>
              <p class="soft">
                {card.access === "public"
                  ? "Anyone can read its rows."
                  : isGranted
                    ? `Granted until ${new Date(mine.answer!.untilMs).toLocaleDateString("en-GB")}.${mine.answer!.note === "" ? "" : ` The owner says: ${mine.answer!.note}`}`
                    : "You are on the Datanet's team."}
              </p>
              <EarnsFrom live={live} publishedAt={ledger.publishedAt} version={ledger.version} />
              <p class="soft small">
                The factory fetches the rows. Your key signs each request and never leaves this page.
              </p>
              {bringing.problem !== null && <ProblemNotice problem={bringing.problem} />}
              <UnsignedCheck
                problem={bringing.problem}
                isChecked={withoutUnsigned}
                onCheck={setWithoutUnsigned}
              />
              <Button isMain isBusy={bringing.isBusy} onClick={() => void bring()}>
                {bringing.isBusy ? "Fetching the rows …" : `Use version ${ledger.version}`}
              </Button>
            </>
          ) : (
            <AccessRequest
              factorySession={factorySession}
              place={{ hostUrl, datanetId }}
              mine={mine}
              summary={facts.access}
              onAsked={() => void look()}
            />
          )}
        </section>
      </div>
    </>
  );
}

/** Conditions of earning, shown before anybody trains and pays: without the owner's approval a model earns nothing. */
function EarnsFrom({
  live,
  publishedAt,
  version,
}: Pick<PageProps, "live"> & { publishedAt: number; version: number }) {
  const { at, leftMs } = approvalTime(live, publishedAt);
  return (
    <p>
      {leftMs === 0
        ? `A model on version ${version} can earn as soon as the Datanet's owner approves it.`
        : `A model on version ${version} can earn from ${at} (in ${showDuration(leftMs)}), once the Datanet's owner approves it.`}
    </p>
  );
}
