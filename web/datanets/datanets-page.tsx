/** Page "#/datanets/…": shows the directory of Datanets, the form of a new one, or one Datanet's page, as the address says. */
import "./datanets.css";
import { readVisitor } from "../hosts/keys/visitor.ts";
import type { PageProps } from "../ledger/page.ts";
import { DatanetPage } from "./datanet-page.tsx";
import { DirectoryPage } from "./directory-page.tsx";
import { NewCard } from "./new-card.tsx";

/** Datanets, their rows, and the work on them: `#/datanets`, `#/datanets/new`, `#/datanets/10/label`. */
export function DatanetsPage(props: PageProps) {
  const { live, rest, site } = props;
  const visitor = readVisitor(site, live);
  const [first, ...more] = rest;
  if (visitor === null) return <p class="soft">Loading …</p>;
  if (first === undefined) return <DirectoryPage {...props} visitor={visitor} />;
  if (first === "new") return <NewCard {...props} visitor={visitor} />;
  if (!/^\d{1,8}$/.test(first))
    return (
      <p>
        Datanet not found. <a href="#/datanets">All Datanets</a>
      </p>
    );
  // Nothing of another Datanet stays: neither its rows nor its buttons.
  return <DatanetPage key={first} {...props} rest={more} datanetId={Number(first)} visitor={visitor} />;
}
