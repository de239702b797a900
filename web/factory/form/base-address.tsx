/** Field on the factory's page of bases to add one by its folder or address, if the operator allows it. */
import { useState } from "preact/hooks";
import { useAction } from "../../bridge/use-action.ts";
import { Button } from "../../design/button.tsx";
import { Field } from "../../design/field.tsx";
import { ProblemNotice } from "../../words/problem.tsx";
import { formHref } from "../factory-links.ts";
import type { FactorySession } from "../factory-session.ts";

/** Field for another base, by its folder or address, if the operator allows it. */
export function BaseAddress({
  datasetId,
  factorySession,
}: {
  readonly datasetId: string;
  readonly factorySession: FactorySession;
}) {
  const [place, setPlace] = useState("");
  const adding = useAction();
  const add = () =>
    adding.run(async () => {
      const base = await factorySession.factory.addBase(place.trim());
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
      <h2>Another base</h2>
      <Field
        label="Folder or address"
        value={place}
        onInput={setPlace}
        help={`This factory takes what begins with ${factorySession.info.basePlaces.join(" or ")}.`}
      />
      {adding.problem !== null && <ProblemNotice problem={adding.problem} />}
      <div class="row">
        <Button type="submit" isBusy={adding.isBusy} isDisabled={place.trim() === ""}>
          Look at it
        </Button>
      </div>
    </form>
  );
}
