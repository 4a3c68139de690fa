/** Billing tier, residency, and who at the provider is charged: the company decides these once, not each request. */
export const OWNED_KEYS = [
  'service_tier',
  'speed',
  'inference_geo',
  'workspace_id',
  'user_profile_id',
  'billing_policy',
  'tags',
  'store',
] as const;
