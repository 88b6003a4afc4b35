import { basename } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';

const columns = 'hash, registrationTime, deriver, narSize, ultimate, sigs, ca';
const libraries = "path like '%-library-%'";

/**
 * Adds the packages of a big image to a database, under names that no image has.
 * @param name what is in those names.
 * @returns their names in the store.
 */
export function addRenamed(database: DatabaseSync, image: string, name: string): string[] {
  const renamed = (path: string): string => `replace(${path}, '-library-', '-${name}-')`;
  database.prepare('attach ? as image').run(image);
  database.exec(`
    pragma synchronous = off;
    pragma cache_size = -200000;
    begin;
    insert into main.ValidPaths (path, ${columns})
      select ${renamed('path')}, ${columns} from image.ValidPaths where ${libraries};
    insert into main.Refs
      select a.id, b.id from image.Refs
      cross join image.ValidPaths x on x.id = referrer cross join image.ValidPaths y on y.id = reference
      cross join main.ValidPaths a on a.path = ${renamed('x.path')}
      cross join main.ValidPaths b on b.path = ${renamed('y.path')}
      where x.${libraries} and y.${libraries};
    commit;
    detach image;
  `);
  const rows = database.prepare('select path from main.ValidPaths where path like ?').all(`%-${name}-%`);
  return rows.map(({ path }) => basename(String(path)));
}
