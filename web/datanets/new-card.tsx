/**
 * Page "#/datanets/new": a person writes a card, opens a Datanet in the ledger with their key, and brings the card to a host.
 * The first balance is typed in OPEN.
 */
import type { LedgerClient } from "@openledger/client/ledger-client";
import { estimateFees, likelyFeeWei } from "@openledger/client/sequencer/fees";
import { parseOpen } from "@openledger/client/sequencer/open-amount";
import { openDatanet } from "@openledger/client/tasks/open-datanet";
import type { NamedCard } from "@openledger/datanets/card/card";
import type { Choices } from "@openledger/datanets/import/decision";
import { useEffect, useState } from "preact/hooks";
import { Button } from "../design/button.tsx";
import { Choice } from "../design/choice.tsx";
import { Field } from "../design/field.tsx";
import { NeedsKey } from "../hosts/keys/needs-key.tsx";
import type { Visitor } from "../hosts/keys/visitor.ts";
import { datanetHref } from "../hosts/tab-props.ts";
import type { PageProps } from "../ledger/page.ts";
import { rollupOf } from "../ledger/rollup-storage.ts";
import { useAction } from "../ledger/use-action.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { showOpen } from "../words/format.ts";
import { BeginWithFiles } from "./begin-with-files.tsx";
import { forgetBegun, isSigned, readBegun, storeBegun, unopened } from "./begun-datanet.ts";
import { sayOpeningCost } from "./card-draft.ts";
import { CardForm, type CardFormProps } from "./card-form.tsx";
import { carryFiles } from "./contribute/chosen-files.ts";

function readOpen(text: string): bigint | null {
  try {
    return parseOpen(text);
  } catch {
    return null;
  }
}

/** New Datanet: its card, its leaf in the ledger, and its place at a host. */
export function NewCard(props: PageProps & { visitor: Visitor }) {
  return (
    <>
      <section class="stack">
        <p class="small">
          <a href="#/datanets">Datanets</a> <span class="soft">/ new</span>
        </p>
        <h1>A new Datanet</h1>
        <p class="lead">
          Describe the data and what a row is. You can change the card later; every change is signed and
          public.
        </p>
      </section>
      <NeedsKey {...props} toDo="open a Datanet">
        {(client) => <Form {...props} client={client} />}
      </NeedsKey>
    </>
  );
}

function Form({ client, live, site, visitor }: PageProps & { visitor: Visitor; client: LedgerClient }) {
  const opener = { rollup: rollupOf(client), leafId: client.leafId! };
  const [begun, setBegun] = useState(() => readBegun(opener, visitor.account!.l1Owner));
  const [balance, setBalance] = useState("2");
  const [hostUrl, setHostUrl] = useState(site.datanetHosts[0] ?? "");
  const [chosen, setChosen] = useState({
    files: [] as readonly File[],
    choices: {} as Choices,
    isOpen: false,
  });
  const action = useAction();
  const fees = useAnswer(live, "fees", () => estimateFees(site.sequencer)).value;
  const info = live.info.value;
  const cost =
    info === null
      ? null
      : sayOpeningCost(
          {
            idFeeWei: info.idFeeWei,
            feeWei: fees === undefined ? null : likelyFeeWei(fees, "createDatanet"),
            balanceWei: readOpen(balance),
          },
          showOpen,
        );
  const isOpened = isSigned(begun);
  useEffect(() => storeBegun(opener, begun), [begun]);
  const another = () => {
    forgetBegun(opener);
    setBegun(unopened);
  };
  const changeDraft: CardFormProps["onDraft"] = (change) =>
    setBegun((now) => ({ ...now, draft: change(now.draft) }));
  const submit = ({ card }: NamedCard) =>
    void action.run(async () => {
      // The wallet's own key signs for it: anyone who has the wallet has the Datanet.
      const { datanetId } = await openDatanet(client, {
        ...{ from: client.leafId!, l1Owner: visitor.account!.l1Owner, amountWei: parseOpen(balance) },
        ...{ card, hostUrl, begun: begun.opening },
        onBegun: (opening) =>
          setBegun((now) => {
            const next = { ...now, opening };
            // At once: the page may be closed before it is drawn again.
            storeBegun(opener, next);
            return next;
          }),
      });
      forgetBegun(opener);
      live.ring();
      const hasFiles = chosen.files.length > 0;
      if (hasFiles) carryFiles(datanetId, chosen);
      window.location.hash = datanetHref(datanetId, hasFiles ? "contribute" : "");
    });
  return (
    <CardForm
      draft={begun.draft}
      onDraft={changeDraft}
      before={null}
      begin={<BeginWithFiles draft={begun.draft} onDraft={changeDraft} onFiles={setChosen} />}
      action={action}
      isDisabled={chosen.isOpen && !isOpened}
      advanced={
        <div class="columns columns-small">
          <Field
            label="Initial balance"
            value={balance}
            onInput={setBalance}
            after={<span class="soft">OPEN</span>}
            help="Pays the fees of the Datanet's own operations: cards and versions."
          />
          {site.datanetHosts.length > 1 && (
            <Choice
              label="Host"
              value={hostUrl}
              onChoose={setHostUrl}
              options={site.datanetHosts.map((name) => ({ name, label: name }))}
            />
          )}
        </div>
      }
      cost={
        isOpened ? (
          <>
            {begun.opening.datanetId === undefined
              ? "Its opening was signed before, and is not paid twice. "
              : `Datanet ${begun.opening.datanetId} is open, and its card is not at a host yet. `}
            <Button isSmall isDisabled={action.isBusy} onClick={another}>
              Open another one instead
            </Button>
          </>
        ) : (
          cost?.parts
        )
      }
      submitLabel={
        isOpened
          ? begun.opening.datanetId === undefined
            ? "Go on with the Datanet"
            : `Sign the card of Datanet ${begun.opening.datanetId}`
          : cost?.total == null
            ? "Create Datanet"
            : `Create Datanet (${cost.total})`
      }
      onSubmit={submit}
    />
  );
}
