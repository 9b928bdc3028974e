"""A shop's figures without a shop: as healthy or as broken as a test wants it."""

import http.server
import threading
import time

# Surface, method and route of what objectives count, and whether it is a purchase.
REQUESTS = [
    ("storefront", "GET", "/", False),
    ("api", "GET", "/store/v1/products", False),
    ("storefront", "GET", "/cart", False),
    ("api", "POST", "/store/v1/carts", False),
    ("storefront", "POST", "/checkout", True),
    ("api", "POST", "/store/v1/carts/{id}/complete", True),
    ("backoffice", "GET", "/backoffice", False),
    ("api", "GET", "/admin/v1/orders", False),
]
# Of each kind.
PER_SECOND = 200


class Exporter:
    """`failing` is the share of purchases that fail, `dead` the number of dead jobs, `database` whether it is reached."""

    def __init__(self):
        self.failing, self.dead, self.database = 0, 0, 1
        self.counted, self.told_at, self.lock = {}, time.time(), threading.Lock()
        exporter = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = exporter.text().encode()
                self.send_response(200)
                self.send_header("content-type", "text/plain; version=0.0.4; charset=utf-8")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        self.server.shutdown()
        self.server.server_close()

    def text(self):
        with self.lock:
            now = time.time()
            self.count((now - self.told_at) * PER_SECOND)
            self.told_at = now
            lines = [f"{name}{{{labels}}} {value}" for (name, labels), value in self.counted.items()]
        lines += [f'http_requests_in_flight{{surface="{surface}"}} 0' for surface in ("api", "storefront", "backoffice")]
        lines += [
            "outbox_lag_seconds 0",
            'jobs_oldest_due_seconds{queue="orders"} 0',
            f'jobs_dead{{queue="orders"}} {self.dead}',
            f"worker_last_tick_timestamp_seconds {now}",
            f"check_last_run_timestamp_seconds {now}",
            "inventory_oversold_units 0",
            f'dependency_up{{dependency="postgres"}} {self.database}',
        ]
        return "\n".join(lines) + "\n"

    def count(self, events):
        for surface, method, route, is_purchase in REQUESTS:
            bad = events * self.failing if is_purchase else 0
            for code, number in (("200", events - bad), ("503", bad)):
                labels = f'surface="{surface}",method="{method}",route="{route}",code="{code}"'
                self.add("http_requests_total", labels, number)
                self.add("http_request_duration_seconds_count", labels, number)
                for bound in ("0.25", "0.5", "1", "2.5", "+Inf"):
                    self.add("http_request_duration_seconds_bucket", f'{labels},le="{bound}"', number)

    def add(self, name, labels, number):
        self.counted[name, labels] = self.counted.get((name, labels), 0) + number
