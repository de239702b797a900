/** Roles of the database: each service has one, with the rights that it needs and no others. */
import { processErrors } from "../error-table.ts";
import { copyPattern, type DatabasePart } from "./migrate.ts";
import type { Queries } from "./queries.ts";

/** Names that PostgreSQL takes without quotes. */
const ROLE_NAME = /^[a-z][a-z0-9_]{0,62}$/;

/** Statements that grant something, with `%I` or `%1$I` in place of the role's name. */
export type Rights = readonly string[];

/** Rights to the rows of a part, and of its copies from before migrations, where rows are erased too: tables stay as they are. */
export const rowRights = ({ name }: Pick<DatabasePart, "name">): Rights => [
  `grant usage on schema openledger, ${name} to %I`,
  "grant select on openledger.parts to %I",
  `grant select, insert, update, delete on all tables in schema ${name} to %I`,
  `do $do$ declare copy name; begin
     for copy in select nspname from pg_namespace where nspname ~ '${copyPattern(name)}' loop
       execute format('grant usage on schema %%I to %1$I', copy);
       execute format('grant select, update, delete on all tables in schema %%I to %1$I', copy);
     end loop;
   end $do$`,
];

/**
 * Makes a role, or gives the one of this name a new password, and grants it rights. Tables have to be there.
 * @throws SRV_CONFIG_INVALID for a name with other letters, or of a role that makes others; SRV_DATABASE_FAILED for a connection that may not make roles
 */
export async function makeRole(
  queries: Queries,
  { name, password, rights }: { readonly name: string; readonly password: string; readonly rights: Rights },
): Promise<void> {
  if (!ROLE_NAME.test(name)) {
    const problem = "takes small letters, digits and _, and begins with a letter";
    throw processErrors.raise("SRV_CONFIG_INVALID", `the name of a role ${problem}`, {
      data: { problems: [{ env: "name", problem }] },
    });
  }
  // The server quotes: statements of this kind take no parameters.
  const run = async (template: string, ...values: string[]) => {
    const slots = values.map((_, i) => `, $${i + 2}::text`).join("");
    const [row] = await queries.query<{ statement: string }>(`select format($1${slots}) as statement`, [
      template,
      ...values,
    ]);
    await queries.query(row!.statement);
  };
  const [found] = await queries.query<{ database: string; exists: boolean; isMaker: boolean }>(
    `select current_database() as database, exists (select from pg_roles where rolname = $1),
            exists (select from pg_roles where rolname = $1 and (rolsuper or rolcreaterole or rolname = current_user)) as "isMaker"`,
    [name],
  );
  const { database, exists, isMaker } = found!;
  if (isMaker) {
    const problem = `is a role that makes others: ${name} stays as it is`;
    throw processErrors.raise("SRV_CONFIG_INVALID", `the name of a role ${problem}`, {
      data: { problems: [{ env: "name", problem }] },
    });
  }
  await run(exists ? "alter role %I login password %L" : "create role %I login password %L", name, password);
  // Everybody may connect to a new database, and make temporary tables in it.
  await run("revoke all on database %I from public", database);
  await run("grant connect on database %I to %I", database, name);
  for (const right of rights) await run(right, name);
}
