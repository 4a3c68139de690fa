import { IsInt, IsOptional, Max, Min } from 'class-validator';

const MOST = 1_000_000;

/** What is left out stays as it is; `null` lifts a limit. */
export class SetTenantLimits {
  /**
   * Model calls in a calendar minute, of all the tenant's tokens together.
   * @example 600
   */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MOST)
  requestsPerMinute?: number | null;

  /**
   * Model calls in a calendar minute, of each of its tokens, with those that it was rotated from.
   * @example 120
   */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MOST)
  requestsPerMinutePerToken?: number | null;

  /**
   * Model calls under way at the same time, of all the tenant's tokens together.
   * @example 20
   */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MOST)
  concurrentRequests?: number | null;

  /**
   * Model calls under way at the same time, of each of its tokens, with those that it was rotated from.
   * @example 5
   */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MOST)
  concurrentRequestsPerToken?: number | null;
}

/** How fast a tenant may call, and how much at a time. `null` is without limit. */
export class TenantLimitsView {
  /**
   * Model calls in a calendar minute, of all the tenant's tokens together.
   * @example 600
   */
  requestsPerMinute!: number | null;

  /**
   * Model calls in a calendar minute, of each of its tokens, with those that it was rotated from.
   * @example 120
   */
  requestsPerMinutePerToken!: number | null;

  /**
   * Model calls under way at the same time, of all the tenant's tokens together.
   * @example 20
   */
  concurrentRequests!: number | null;

  /**
   * Model calls under way at the same time, of each of its tokens, with those that it was rotated from.
   * @example 5
   */
  concurrentRequestsPerToken!: number | null;
}

export const UNLIMITED: TenantLimitsView = {
  requestsPerMinute: null,
  requestsPerMinutePerToken: null,
  concurrentRequests: null,
  concurrentRequestsPerToken: null,
};
