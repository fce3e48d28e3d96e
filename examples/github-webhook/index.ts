// Runs when an issue of a repository changes. GitHub posts each delivery once, both environments get it, and this
// process serves the environment of TRIGGER_API_KEY.
import { events } from "@trigger.dev/github";
import { Trigger } from "@trigger.dev/sdk";

new Trigger({
  id: "github-issues",
  name: "GitHub issues",
  on: events.issueEvent({ repo: "Codertocat/Hello-World" }),
  run: async ({ action, issue }, ctx) => {
    await ctx.logger.info(`Issue ${issue.number} was ${action}: ${issue.title} (${ctx.environment})`);
    return { environment: ctx.environment, issue: issue.number, action };
  },
}).listen();
