"""The real program with a database of its own, and people in it for a moment."""

import json
import os
import pathlib
import re
import subprocess
import threading
import time

from .programs import ROOT, ensure, fetch, soon

APPROVED, DECLINED = "0000000000001000", "0000000000002001"
PAGES = ["/", "/products", "/products/everyday-tumbler", "/categories/ceramics", "/cart", "/cart/count", "/checkout", "/backoffice", "/backoffice/sign-in", "/store/v1/products", "/store/v1/channel", "/store/v1/payment-methods"]


def program():
    """`$TRADEWIND`, or what deploy/helm/program builds from this source."""
    named = os.environ.get("TRADEWIND")
    return str(pathlib.Path(named or subprocess.run([ROOT / "deploy/helm/program"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()).resolve())


class Shop:
    def __init__(self, ground, redis):
        self.binary = program()
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR")}
        self.environment = kept | {
            "TRADEWIND__DEMO": "true",
            "REDIS_URL": redis,
            "TRADEWIND__DATA_DIR": str(ground.folder / "data"),
            "TRADEWIND__HTTP__PUBLIC_ADDRESS": "127.0.0.1:0",
            "TRADEWIND__HTTP__OPERATIONS_ADDRESS": "127.0.0.1:0",
            # So that the books are looked after within the test.
            "TRADEWIND__WORKER__CHECK_EVERY_MS": "2000",
        }
        self.running = ground.start("tradewind", [self.binary, "serve"], self.environment)
        said = lambda name: re.search(rf"^ +{name} +http://([^/\s]+)", self.running.log.read_text(), re.M)
        soon("the shop is ready", lambda: self.running.alive() and said("Operations"))
        self.public, self.operations = said("Shop")[1], said("Operations")[1]
        self.folder = ground.folder
        self.run("seed", "--from", str(ROOT / "demo"))

    def run(self, *command):
        done = subprocess.run([self.binary, *command], cwd=self.folder, env=self.environment, capture_output=True, text=True)
        ensure(done.returncode == 0, f"tradewind {' '.join(command)}:", done.stderr[-2000:])
        return done.stdout

    def get(self, path):
        status, _, body = fetch(f"http://{self.public}{path}")
        ensure(status < 400, path, status)
        return body

    def post(self, path, body, expected, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        status, _, answer = fetch(f"http://{self.public}{path}", json.dumps(body).encode(), {"content-type": "application/json"} | named)
        ensure(status in expected, path, status, answer[:500])
        return json.loads(answer)

    def variants(self):
        """What is in stock."""
        products = json.loads(self.get("/store/v1/products"))["items"]
        details = [json.loads(self.get(f"/store/v1/products/{product['slug']}")) for product in products if product["stock"] == "in"]
        return [variant["id"] for detail in details for variant in detail["variants"] if variant["stock"] == "in"]

    def buy(self, variant, key, card=None, channel="default"):
        """One purchase: by card, or by bank transfer without one."""
        created = self.post("/store/v1/carts", {}, [201], x_channel=channel)
        path, told = f"/store/v1/carts/{created['cart']['id']}", {"x_cart_token": created["token"], "x_channel": channel}
        cart = self.post(f"{path}/lines", {"variant_id": variant, "quantity": 1}, [200], **told)
        address = {"name": "Ines Gruber", "street": "Hafengasse 3", "postcode": "1030", "city": "Wien", "country": "AT"}
        payment = {"provider": "sandbox", "test_card": card} if card else {"provider": "manual"}
        order = {"email": "ines@example.com", "shipping_address": address, "payment": payment, "expected_total": cart["totals"]["total"], "return_url": "/checkout/return"}
        self.post(f"{path}/complete", order, [200, 402], idempotency_key=key, **told)


def visit(shop, seconds):
    """Lets people look around and buy for so long; what they were refused is raised here."""
    variants, until, refused = shop.variants(), time.monotonic() + seconds, []

    def stroll():
        while time.monotonic() < until:
            for page in PAGES:
                shop.get(page)
            fetch(f"http://{shop.operations}/readyz")

    def purchases():
        number = 0
        while time.monotonic() < until:
            number += 1
            # Not much of one thing, for stock is limited.
            variant = variants[number % len(variants)]
            shop.buy(variant, f"key-{number}", [None, APPROVED, DECLINED][number % 3])
            shop.buy(variant, f"test-{number}", channel="smoke")
            # Somebody goes through the page as well, with an empty cart.
            fetch(f"http://{shop.public}/checkout", b"", {"content-type": "application/x-www-form-urlencoded", "origin": f"http://{shop.public}"})

    def note(work):
        try:
            work()
        except Exception as error:  # told by whoever waits
            refused.append(error)

    people = [threading.Thread(target=note, args=(work,)) for work in (stroll, purchases)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    if refused:
        raise refused[0]
