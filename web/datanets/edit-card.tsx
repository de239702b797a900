/**
 * Form on the versions tab in which a Datanet's owner changes its card: signs a new version of the same rows, and brings the
 * card to the host.
 */
import { setCard } from "@openledger/client/tasks/publish-card";
import { useState } from "preact/hooks";
import { Notice } from "../design/notice.tsx";
import { NeedsKey } from "../hosts/keys/needs-key.tsx";
import { datanetHref, ownClient, type TabProps } from "../hosts/tab-props.ts";
import { rollupKey } from "../ledger/rollup-storage.ts";
import { useAction } from "../ledger/use-action.ts";
import { type CardDraft, draftOf, EMPTY_DRAFT } from "./card-draft.ts";
import { CardForm } from "./card-form.tsx";

/** Keeps what is signed: the page may be closed before the host has what the ledger has the hash of. */
function storeSigned(key: string | null, draft: CardDraft): void {
  if (key !== null) localStorage.setItem(key, JSON.stringify(draft));
}

/** Draft of a card that was signed in this browser; null for none. */
function readSigned(key: string | null): CardDraft | null {
  const text = key === null ? null : localStorage.getItem(key);
  if (text === null) return null;
  try {
    return { ...EMPTY_DRAFT, ...(JSON.parse(text) as Partial<CardDraft>) };
  } catch {
    // Nothing that this page has written.
    return null;
  }
}

/** The present card, changed: a new version of the same rows, signed by the Datanet's own key. */
export function EditCard(props: TabProps) {
  const { facts, live, onChange, place } = props;
  const rollup = live.info.value;
  const signedKey = rollup === null ? null : `${rollupKey("signed-card", rollup)} ${facts.id}`;
  // A card that was signed here, and that the host does not have, is not typed again.
  const [draft, setDraft] = useState(
    () => (facts.isCardCurrent ? null : readSigned(signedKey)) ?? draftOf(facts.card),
  );
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
            <>
              {!facts.isCardCurrent && (
                <Notice tone="wait" title="The host does not have the card that the ledger has the hash of.">
                  <p>
                    A card that was signed in this browser is filled in below: sign it again, and only the
                    host gets it. Anywhere else, sign a card anew.
                  </p>
                </Notice>
              )}
              <CardForm
                draft={draft}
                onDraft={setDraft}
                before={facts.card}
                action={action}
                submitLabel={
                  facts.isCardCurrent ? "Sign the changed card" : "Sign the card, or bring it again"
                }
                onSubmit={({ card }) =>
                  void action.run(async () => {
                    const onNew = () => storeSigned(signedKey, draft);
                    await setCard(own, { ...place, card, onNew });
                    if (signedKey !== null) localStorage.removeItem(signedKey);
                    onChange();
                    window.location.hash = datanetHref(facts.id);
                  })
                }
              />
            </>
          )}
        </div>
      )}
    </NeedsKey>
  );
}
