import type { DatabaseSync } from '../database.ts';
import { hasTable } from './image-database.ts';

/**
 * Adds what the image knows of content-addressed outputs and the volume does not: which derivation has which output.
 * Tables that only the image has are made as they are there. Nix 2.8 to 2.34 have Realisations, later ones BuildTraceV3
 * (src/libstore/ca-specific-schema.sql); a database of many ages has both.
 */
export function mergeRealisations(database: DatabaseSync): void {
  if (hasTable(database, 'img', 'Realisations')) {
    makeLikeImage(database, 'Realisations');
    database.exec(`
      insert into main.Realisations (drvPath, outputName, outputPath, signatures)
        select r.drvPath, r.outputName, v.id, r.signatures from img.Realisations r
        join img.ValidPaths i on i.id = r.outputPath join main.ValidPaths v on v.path = i.path
        where not exists (select 1 from main.Realisations m where ${sameOutput})`);
  }
  if (hasTable(database, 'img', 'RealisationsRefs')) {
    makeLikeImage(database, 'RealisationsRefs');
    database.exec(`
      insert into main.RealisationsRefs (referrer, realisationReference)
        select ma.id, mb.id from img.RealisationsRefs r
        join img.Realisations a on a.id = r.referrer join img.Realisations b on b.id = r.realisationReference
        join main.Realisations ma on ma.drvPath = a.drvPath and ma.outputName = a.outputName
        join main.Realisations mb on mb.drvPath = b.drvPath and mb.outputName = b.outputName
        where not exists (select 1 from main.RealisationsRefs m
          where m.referrer = ma.id and m.realisationReference = mb.id)`);
  }
  if (hasTable(database, 'img', 'BuildTraceV3')) {
    makeLikeImage(database, 'BuildTraceV3');
    database.exec(`
      insert into main.BuildTraceV3 (drvPath, outputName, outputPath, signatures)
        select r.drvPath, r.outputName, r.outputPath, r.signatures from img.BuildTraceV3 r
        where not exists (select 1 from main.BuildTraceV3 m where ${sameOutput})`);
  }
}

const sameOutput = 'm.drvPath = r.drvPath and m.outputName = r.outputName';

/** Makes a table with its indexes and triggers; Nix makes them only where they are missing. */
function makeLikeImage(database: DatabaseSync, table: string): void {
  if (hasTable(database, 'main', table)) return;
  const query = `select sql from img.sqlite_master where tbl_name = ? and sql is not null
    order by type <> 'table'`;
  for (const { sql } of database.prepare(query).all(table)) database.exec(String(sql));
}
