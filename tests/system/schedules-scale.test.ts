// One tick with many schedules due in many organizations. `npm test` runs a short form; `npm run scale:schedules` the full
// one, 10,000 schedules of 1,000 organizations, and prints what it measured.
import { expect, it } from "vitest";
import { startControlPlane } from "./control-plane.ts";

const ORGANIZATIONS = Number(process.env.SCALE_ORGANIZATIONS ?? 10);
const EACH = 10;
const ENVIRONMENTS = 2;
const EVENTS = ORGANIZATIONS * EACH * ENVIRONMENTS;
const AT_ONCE = 8;
const HOUR_MS = 3_600_000;
/** For 10,000 schedules on two cores, with the environments in memory and with none; in proportion below that. */
const TARGETS_MS = { warm: 10_000, cold: 60_000 };

it(`a tick emits ${ORGANIZATIONS * EACH} schedules of ${ORGANIZATIONS} organizations into ${ENVIRONMENTS} environments each`, async () => {
  // Without the archive: every six hours it looks after all environments, at a whole hour, and would be measured too.
  const plane = await startControlPlane({
    bindings: { CLOCK: "movable", LOG_LEVEL: "info", ARCHIVE_EVERY_MINUTES: "0" },
  });
  try {
    const slugs = Array.from({ length: ORGANIZATIONS }, (_, number) => `org-${number}`);
    await forAll(slugs, (slug) =>
      plane.must("POST", "/api/v1/organizations", { as: plane.setupToken, body: { name: slug, slug } }),
    );
    // The record of many schedules at once, and then the push of each organization's.
    await plane.pool.query(
      `insert into schedules (id, organization_id, name, cron, timezone, event, payload)
         select 'sch_' || o.slug || '_' || n, o.id, 's' || n, '0 * * * *', (array['UTC','Europe/Berlin','America/New_York','Asia/Kolkata','Australia/Sydney'])[1 + n % 5], 'due', '{"n":1}'
         from organizations o, generate_series(1, ${EACH}) n`,
    );
    await plane.pool.query("update environments set revision = revision + 1");
    await forAll(slugs, (slug) => plane.must("GET", `/api/v1/organizations/${slug}`, { as: plane.setupToken }));

    // Hours ahead and hours apart, so that no time comes by itself, however long a tick takes.
    const start = Math.ceil(Date.now() / HOUR_MS) * HOUR_MS + 2 * HOUR_MS;
    await moveTo(start);
    // By now every schedule has missed some of its times, as after an outage.
    const warm = await ticked(start);
    const again = await ticked(start);
    await moveTo(start + HOUR_MS);
    const warmer = await ticked(start + HOUR_MS);
    await plane.restart();
    await moveTo(start + 2 * HOUR_MS);
    const cold = await ticked(start + 2 * HOUR_MS);
    console.log(
      `${EVENTS} events of ${ORGANIZATIONS * EACH} schedules in ${ORGANIZATIONS * ENVIRONMENTS} environments: ` +
        `${warm} ms in memory the first time, ${warmer} ms the second, ${cold} ms with no object in memory; ` +
        `a tick with nothing due ${again} ms`,
    );
    for (const slug of [slugs[0], slugs.at(-1)]) {
      for (const env of ["live", "development"]) {
        const path = `/api/v1/organizations/${slug}/environments/${env}/events?limit=100`;
        const { data } = (await plane.must("GET", path, { as: plane.setupToken })).body;
        const ids = data.map(({ id }: { id: string }) => id);
        expect(new Set(ids).size).toBe(3 * EACH);
      }
    }
    if (process.env.SCALE_ORGANIZATIONS) {
      expect(Math.max(warm, warmer)).toBeLessThan(TARGETS_MS.warm);
      expect(cold).toBeLessThan(TARGETS_MS.cold);
    }
  } finally {
    await plane.stop();
  }

  async function ticked(at: number): Promise<number> {
    const started = performance.now();
    await plane.tick(at);
    return Math.round(performance.now() - started);
  }

  async function moveTo(time: number): Promise<void> {
    await plane.must("POST", "/local/clock", { body: { to: new Date(time).toISOString() } });
  }
}, 1_800_000);

async function forAll<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const left = items.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const item of left) await work(item);
    }),
  );
}
