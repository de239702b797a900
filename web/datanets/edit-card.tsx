/**
 * Form on the versions tab in which a Datanet's owner changes its card: signs a new version of the same rows, and brings the
 * card to the host.
 */
import { setCard } from "@openledger/client/tasks/publish-card";
import { useState } from "preact/hooks";
import { NeedsKey } from "../hosts/keys/needs-key.tsx";
import { datanetHref, ownClient, type TabProps } from "../hosts/tab-props.ts";
import { useAction } from "../ledger/use-action.ts";
import { draftOf } from "./card-draft.ts";
import { CardForm } from "./card-form.tsx";

/** The present card, changed: a new version of the same rows, signed by the Datanet's own key. */
export function EditCard(props: TabProps) {
  const { facts, onChange, place } = props;
  const [draft, setDraft] = useState(() => draftOf(facts.card));
  const action = useAction();
  const own = ownClient(props);
  return (
    <NeedsKey {...props} toDo="change the card">
      {() => (
        <div class="stack">
          {own === null ? (
            <section class="card narrow">
              <p class="soft">
                This wallet's key does not sign for this Datanet. Connect the wallet whose key the ledger has
                for it.
              </p>
            </section>
          ) : (
            <CardForm
              draft={draft}
              onDraft={setDraft}
              before={facts.card}
              action={action}
              submitLabel="Sign the changed card"
              onSubmit={({ card }) =>
                void action.run(async () => {
                  await setCard(own, { ...place, card });
                  onChange();
                  window.location.hash = datanetHref(facts.id);
                })
              }
            />
          )}
        </div>
      )}
    </NeedsKey>
  );
}
