import { Books } from './books';
import { fakeProviders, offerFakeModels } from './department';
import { FakeProvider } from './fake-provider';
import { Gateway, type GatewayOptions } from './gateway';
import { expectNothingLeft } from './processes';

/** A built gateway before the fake provider in both dialects, whose models are in its catalogue and have prices. */
export class GatewayWorld {
  private constructor(
    readonly fake: FakeProvider,
    readonly gateway: Gateway,
    /** What its database has booked. */
    readonly books: Books,
  ) {}

  static async open(options: Omit<GatewayOptions, 'providers'> = {}): Promise<GatewayWorld> {
    const fake = await FakeProvider.start();
    const gateway = await Gateway.start({ ...options, providers: fakeProviders(fake) });
    await offerFakeModels(gateway);
    return new GatewayWorld(fake, gateway, await Books.open(gateway.place.database));
  }

  /** Removes all of it and sees to it that no process stays. @param last who runs in the gateway's place by now */
  async close(last = this.gateway): Promise<void> {
    await this.books.close();
    await last.remove();
    await this.fake.close();
    await expectNothingLeft(last.place.folder);
  }
}
