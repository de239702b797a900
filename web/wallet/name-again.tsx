/**
 * Part of the page "A new wallet" for what changed with a key at hosts: names that only the former key has signed, and the week's
 * notice of a key that the old one did not sign for.
 */
import { findFormerName } from "@openledger/client/datanets/display-names";
import type { LedgerLeaf } from "@openledger/client/sequencer/sequencer-schemas";
import { Button } from "../design/button.tsx";
import { readVisitor } from "../hosts/keys/visitor.ts";
import { chooseName } from "../hosts/name-leaves.ts";
import type { PageProps } from "../ledger/page.ts";
import { session, unlock } from "../ledger/session.ts";
import { useAction } from "../ledger/use-action.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { leafNames } from "../words/leaf-names.ts";
import { LeafLink } from "../words/links.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { KeyNoticePart } from "./key-notice-part.tsx";

/** Leaves whose former names are looked for. */
const MAX_LEAVES = 20;

export function NameAgain({
  leaves,
  live,
  site,
}: PageProps & { readonly leaves: readonly LedgerLeaf[] | null }) {
  const reader = readVisitor(site, live)?.reader ?? null;
  const [hostUrl] = site.datanetHosts;
  const named = (leaves ?? []).filter(({ kind }) => kind !== "datanet").slice(0, MAX_LEAVES);
  const about = `former names ${named.map(({ id, keyX }) => `${id}/${keyX}`).join()} ${reader !== null}`;
  const { value } = useAnswer(live, about, async () => {
    if (reader === null || hostUrl === undefined) return [];
    const found = await Promise.all(
      named.map(async (leaf) => ({ leaf, name: await findFormerName(reader, { hostUrl, leafId: leaf.id }) })),
    );
    return found.flatMap(({ leaf, name }) => (name === null ? [] : [{ leaf, name }]));
  });
  const missing = (value ?? []).filter(
    ({ leaf, name }) =>
      leafNames.value.get(leaf.id)?.isChosen !== true || leafNames.value.get(leaf.id)?.name !== name,
  );
  return (
    <>
      {named.map(({ id }) => (
        <KeyNoticePart key={id} leafId={id} live={live} site={site} />
      ))}
      {missing.length > 0 && (
        <section class="card stack" aria-label="Names">
          <h2>Sign your name again</h2>
          <p class="soft">A name is shown while the account's present key has signed it.</p>
          {missing.map(({ leaf, name }) => (
            <SignAgain key={leaf.id} leaf={leaf} name={name} site={site} />
          ))}
        </section>
      )}
    </>
  );
}

function SignAgain({ leaf, name, site }: Pick<PageProps, "site"> & { leaf: LedgerLeaf; name: string }) {
  const action = useAction();
  const sign = () =>
    action.run(async () => {
      const client = await unlock(session.value!, [leaf.keyX]);
      await chooseName(site, { ...client, leafId: leaf.id }, leaf.id, name);
    });
  return (
    <div class="stack-s">
      <p class="row">
        <span>
          {name}, <LeafLink id={leaf.id} />
        </span>
        <span class="push" />
        <Button isSmall isBusy={action.isBusy} onClick={() => void sign()}>
          Sign “{name}”
        </Button>
      </p>
      {action.problem !== null && <ProblemNotice problem={action.problem} />}
    </div>
  );
}
