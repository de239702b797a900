/**
 * Bases of the public hub that the factory fetches with one click, on its page of bases: those that this software knows, where the operator
 * allows the hub and the hub answers.
 */
import type { FactoryBasePlan } from "@openledger/models/factory/factory-api";
import { KNOWN_BASES, type KnownBase } from "@openledger/models/tuning/base/known-bases";
import { useEffect, useState } from "preact/hooks";
import { Badge } from "../../design/badge.tsx";
import { Button } from "../../design/button.tsx";
import { useAction } from "../../ledger/use-action.ts";
import { showCount } from "../../words/format.ts";
import { ProblemNotice } from "../../words/problem.tsx";
import { formHref } from "../factory-links.ts";
import type { FactorySession } from "../factory-session.ts";

interface OfferedProps {
  readonly datasetId: string;
  readonly factorySession: FactorySession;
}

interface Offered {
  readonly base: KnownBase;
  readonly plan: FactoryBasePlan;
}

/** Sizes of bases, asked of the hub one after another; refused ones, listed ones and those of no answer are left out. */
function useOffered({ factory, info }: FactorySession): readonly Offered[] {
  const [offered, setOffered] = useState<readonly Offered[]>([]);
  const isAllowed = info.basePlaces.some((place) => place.startsWith("http"));
  useEffect(() => {
    let isGone = false;
    const look = async () => {
      for (const base of KNOWN_BASES) {
        const plan = await factory.planBase(base.name).catch(() => null);
        if (isGone) return;
        if (plan !== null) setOffered((before) => [...before, { base, plan }]);
      }
    };
    setOffered([]);
    if (isAllowed) void look();
    return () => {
      isGone = true;
    };
  }, [isAllowed]);
  return offered;
}

export function OfferedBases({ datasetId, factorySession }: OfferedProps) {
  const offered = useOffered(factorySession);
  if (offered.length === 0) return null;
  return (
    <section class="stack-s" aria-label="Bases of the hub">
      <h3>More bases</h3>
      <div class="choices">
        {offered.map((one) => (
          <OfferedCard
            key={one.base.name}
            offered={one}
            datasetId={datasetId}
            factorySession={factorySession}
          />
        ))}
      </div>
    </section>
  );
}

function OfferedCard({
  datasetId,
  factorySession: { factory },
  offered: { base, plan },
}: OfferedProps & { readonly offered: Offered }) {
  const adding = useAction();
  const [fetched, setFetched] = useState<string | null>(null);
  const add = () =>
    adding.run(async () => {
      const added = await factory.addBase(base.name, ({ done, total }) =>
        setFetched(`${showMegabytes(done)} of ${showMegabytes(total)} fetched`),
      );
      window.location.hash = formHref(datasetId, added.id);
    });
  return (
    <section class="choice" aria-label={base.name}>
      <div class="row">
        <h3>{base.name}</h3>
        <span class="push" />
        <Badge tone="plain">on the hub</Badge>
      </div>
      <p class="figure">
        {base.parameters} <small>parameters</small>
      </p>
      <p class="soft small">{base.use}</p>
      <p class="soft small">
        Licence {plan.licence ?? base.licence} · {showMegabytes(plan.sizeBytes)} to fetch,{" "}
        {showMegabytes(plan.memoryBytes)} of memory
      </p>
      {fetched !== null && adding.isBusy && <p role="status">{fetched}</p>}
      {adding.problem !== null && <ProblemNotice problem={adding.problem} />}
      <Button isBusy={adding.isBusy} onClick={() => void add()}>
        Fetch and choose
      </Button>
    </section>
  );
}

const showMegabytes = (bytes: number) => `${showCount(Math.ceil(bytes / 1e6))} MB`;
