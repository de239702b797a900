/** Form "Choose a name" on a leaf's page, for its owner. Names are signed records, up to MAX_NAME_BYTES of UTF-8. */
import type { LedgerLeaf } from "@openledger/client/sequencer/sequencer-schemas";
import { displayNameProblem, MAX_NAME_BYTES } from "@openledger/datanets/records/display-name";
import { useState } from "preact/hooks";
import { Button } from "../design/button.tsx";
import { Field } from "../design/field.tsx";
import { Notice } from "../design/notice.tsx";
import type { PageProps } from "../ledger/page.ts";
import { useAction } from "../ledger/use-action.ts";
import { leafNames } from "../words/leaf-names.ts";
import { ProblemNotice } from "../words/problem.tsx";
import { NeedsKey } from "./keys/needs-key.tsx";
import { readVisitor } from "./keys/visitor.ts";
import { chooseName } from "./name-leaves.ts";

/**
 * Form of the owner for the name of the account or model on pages. Its key signs the name, and hosts of Datanets store
 * it.
 */
export function NameForm({ leaf, live, site }: Pick<PageProps, "live" | "site"> & { leaf: LedgerLeaf }) {
  const known = leafNames.value.get(leaf.id);
  const [text, setText] = useState(known?.isChosen === true ? known.name : "");
  const action = useAction();
  const visitor = readVisitor(site, live);
  const name = text.trim().normalize("NFC");
  const problem = name === "" ? null : displayNameProblem(name);
  if (visitor === null) return null;
  return (
    <NeedsKey live={live} site={site} visitor={visitor} toDo="choose a name">
      {(client) => (
        <section class="card stack narrow" aria-label="Name">
          <h2>Choose a name</h2>
          <Field
            label="Name"
            value={text}
            onInput={setText}
            help={`At most ${MAX_NAME_BYTES} bytes. Your key signs it. It is shown with the number ${leaf.id}, as others may choose the same name.`}
            problem={problem === null ? null : `This name is not allowed: ${problem}.`}
          />
          {action.problem !== null && <ProblemNotice problem={action.problem} />}
          {name !== "" && known?.isChosen === true && known.name === name && (
            <Notice tone="good" title={`Its name is ${name}.`} />
          )}
          <Button
            isMain
            isBusy={action.isBusy}
            isDisabled={name === "" || problem !== null || name === known?.name}
            onClick={() => void action.run(() => chooseName(site, client, leaf.id, name))}
          >
            Sign the name
          </Button>
        </section>
      )}
    </NeedsKey>
  );
}
