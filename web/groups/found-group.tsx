/** Form that founds a group, or gives a group's key to a new set of members; then its setup. */
import {
  type Charter,
  charterSession,
  type GroupMember,
  previousOf,
} from "@openledger/client/groups/group-charter";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { useState } from "preact/hooks";
import { useAction } from "../bridge/use-action.ts";
import { Button } from "../design/button.tsx";
import { Field } from "../design/field.tsx";
import { Identifier } from "../design/identifier.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { invite, keysOfLeaves, makeCharter } from "./group-setup.ts";
import { SetupPart } from "./setup-part.tsx";

interface FoundGroupProps {
  readonly client: LedgerClient;
  readonly hostUrl: string;
  /** Group whose members are replaced; absent: a new one is founded. */
  readonly old?: GroupMember;
}

export function FoundGroup({ client, hostUrl, old }: FoundGroupProps) {
  const [name, setName] = useState("");
  const [members, setMembers] = useState("");
  const [threshold, setThreshold] = useState(old === undefined ? "2" : String(old.group.charter.threshold));
  const [dealers, setDealers] = useState("");
  const [charter, setCharter] = useState<Charter | null>(null);
  const { isBusy, problem, run } = useAction();
  const found = () =>
    run(async () => {
      const previous =
        old === undefined
          ? null
          : previousOf(
              old.group,
              (await keysOfLeaves(client, dealers)).map(({ keyX }) => keyX),
            );
      const named = old === undefined ? name : old.group.charter.name;
      const made = await makeCharter(client, { name: named, members, threshold, previous });
      await invite(client, hostUrl, made);
      setCharter(made);
    });
  if (charter !== null)
    return (
      <>
        <section class="card stack" aria-label="Invitation">
          <h2>Invite the others</h2>
          <p>
            Send this address to every other member. They open it within an hour, while this page is open.
          </p>
          <Identifier
            value={`${location.origin}${location.pathname}#/groups/join/${charterSession(charter)}`}
            label="the invitation"
          />
        </section>
        <SetupPart client={client} hostUrl={hostUrl} charter={charter} old={old ?? null} />
      </>
    );
  return (
    <section class="card stack narrow" aria-label={old === undefined ? "Found a group" : "Replace members"}>
      <h2>{old === undefined ? "Found a group" : "Replace members"}</h2>
      {old === undefined && (
        <Field
          label="Name"
          value={name}
          onInput={setName}
          help="Letters, digits, spaces; the members see it."
        />
      )}
      <Field
        label="Members' accounts"
        value={members}
        onInput={setMembers}
        help="Numbers of 2 to 16 accounts, yours among them."
      />
      <Field label="How many must sign" value={threshold} onInput={setThreshold} inputMode="decimal" />
      {old !== undefined && (
        <Field
          label="Old members who deal"
          value={dealers}
          onInput={setDealers}
          help={`Numbers of exactly ${old.group.charter.threshold} old members: they give their shares to the new set.`}
        />
      )}
      {problem !== null && <ProblemNotice problem={problem} />}
      <Button isMain isBusy={isBusy} onClick={() => void found()}>
        {old === undefined ? "Found the group" : "Begin the replacement"}
      </Button>
    </section>
  );
}
