/**
 * Form on the factory's page of bases to add one by its folder, address or hub's name, if the operator allows it. A hub's base says
 * what it takes before it is fetched.
 */
import type { FactoryBasePlan } from "@openledger/models/factory/factory-api";
import { parseHubName } from "@openledger/models/tuning/recipe/hub-name";
import { useState } from "preact/hooks";
import { Button } from "../../design/button.tsx";
import { FactList } from "../../design/fact-list.tsx";
import { Field } from "../../design/field.tsx";
import { useAction } from "../../ledger/use-action.ts";
import { showCount } from "../../words/format.ts";
import { ProblemNotice } from "../../words/problem.tsx";
import { formHref } from "../factory-links.ts";
import type { FactorySession } from "../factory-session.ts";

/** Form for another base. */
export function BaseAddress({
  datasetId,
  factorySession: { factory, info },
}: {
  readonly datasetId: string;
  readonly factorySession: FactorySession;
}) {
  const [location, setLocation] = useState("");
  const [plan, setPlan] = useState<FactoryBasePlan | null>(null);
  const [fetched, setFetched] = useState<string | null>(null);
  const adding = useAction();
  const add = () =>
    adding.run(async () => {
      const named = location.trim();
      if (plan === null && parseHubName(named) !== null) return setPlan(await factory.planBase(named));
      const base = await factory.addBase(named, ({ done, total }) =>
        setFetched(`${showMegabytes(done)} of ${showMegabytes(total)}`),
      );
      window.location.hash = formHref(datasetId, base.id);
    });
  return (
    <form
      class="card stack"
      onSubmit={(event) => {
        event.preventDefault();
        void add();
      }}
    >
      <h2>Add a base model</h2>
      <Field
        label="Model name, folder or URL"
        value={location}
        onInput={(text) => {
          setLocation(text);
          setPlan(null);
        }}
        isDisabled={adding.isBusy}
        placeholder="owner/name"
        help={`Allowed: what starts with ${info.basePlaces.join(" or ")}. A model on the hub is named owner/name.`}
      />
      {plan !== null && <PlanFacts plan={plan} />}
      {adding.isBusy && fetched !== null && <p role="status">{fetched} fetched</p>}
      {adding.problem !== null && <ProblemNotice problem={adding.problem} />}
      <div class="row">
        <Button type="submit" isBusy={adding.isBusy} isDisabled={location.trim() === ""}>
          {plan === null ? "Show details" : "Download"}
        </Button>
      </div>
    </form>
  );
}

function PlanFacts({ plan }: { readonly plan: FactoryBasePlan }) {
  return (
    <FactList
      isSmall
      facts={[
        ["Model", `${plan.name}, ${(plan.parameterCount / 1e6).toFixed(1)} M parameters (${plan.family})`],
        ["Licence", plan.licence ?? "not stated: ask the publisher"],
        ["Disk", `${showMegabytes(plan.sizeBytes)}, ${showMegabytes(plan.freeBytes)} free`],
        ["Memory", showMegabytes(plan.memoryBytes)],
      ]}
    />
  );
}

const showMegabytes = (bytes: number) => `${showCount(Math.ceil(bytes / 1e6))} MB`;
