export type { PromptEntry } from './prompt-entry';
export { PromptLog } from './prompt-log.service';
export { PromptsModule } from './prompts.module';
export { PromptRecovery } from './spool/prompt-recovery.service';
