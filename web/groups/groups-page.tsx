/**
 * Page "#/groups", experimental: k of n members own a leaf's key together. Found or join a group, sign what another member proposes,
 * replace members. Messages go through a Datanet host; a member's share is in a file of theirs, and in this page's memory.
 */
import { Notice } from "../design/notice.tsx";
import { Nav } from "../design/tabs.tsx";
import { NeedsKey } from "../hosts/keys/needs-key.tsx";
import { readVisitor } from "../hosts/keys/visitor.ts";
import type { PageProps } from "../ledger/page.ts";
import { FoundGroup } from "./found-group.tsx";
import { JoinGroup } from "./join-group.tsx";
import { OwnGroup } from "./own-group.tsx";
import "./groups.css";

const PARTS = [
  { href: "#/groups", label: "My group" },
  { href: "#/groups/found", label: "Found a group" },
] as const;

export function GroupsPage({ live, rest, site }: PageProps) {
  const visitor = readVisitor(site, live);
  const [part = "", session = ""] = rest;
  const hostUrl = site.datanetHosts[0];
  return (
    <>
      <section class="stack">
        <h1>Own a key together</h1>
        <p class="lead">
          A group of 2 to 16 members owns a Datanet, or any account: a number of them must sign, and fewer
          cannot. Nobody ever has the whole key.
        </p>
        <Notice tone="wait" title="Experimental">
          <p>Nobody outside has attacked this yet. Do not give a group a key that owns much.</p>
        </Notice>
        <Nav pages={PARTS} current={`#/groups${part === "" ? "" : `/${part}`}`} label="Parts" />
      </section>
      {visitor === null ? (
        <p class="soft">Loading …</p>
      ) : hostUrl === undefined ? (
        <p class="soft">These pages name no Datanet host, which would carry the members' messages.</p>
      ) : (
        <NeedsKey visitor={visitor} site={site} live={live} toDo="take part in a group">
          {(client) =>
            part === "found" ? (
              <FoundGroup client={client} hostUrl={hostUrl} />
            ) : part === "join" ? (
              <JoinGroup key={session} client={client} hostUrl={hostUrl} session={session} />
            ) : (
              <OwnGroup client={client} hostUrl={hostUrl} live={live} site={site} />
            )
          }
        </NeedsKey>
      )}
    </>
  );
}
