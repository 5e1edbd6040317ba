//! A provider with its customers, its storage account, and the app settings that join them.

use std::{path::Path, sync::Arc};

use azure_storage_blob::models::BlobClientBreakLeaseOptions;
use labelstream::{
    queue::WORK_QUEUE,
    state::{Expect, Store as _, blob::BlobStore, client::connect, connection::StorageAccount},
    tenants::LIST_KEY,
    watermark::Memory,
};
use labelstream_simulator::{ContentType, Effect, Endpoint, Fault, Provider, ProviderConfig, Simulator, When};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::{
    account::own_account,
    azurite::Azurite,
    dispatcher::{Dispatcher, Rules, Seen, Trigger},
    front::Front,
    host::Host,
    plan::{Plan, Role, contents},
    queue::Queue,
    waiting::Waiting,
};

/// The container of the state.
const CONTAINER: &str = "labelstream";

/// What the entry is called that cannot be read.
pub const BAD_ENTRY: &str = "bad-entry";

/// A provider and its deployment.
pub struct Stage {
    pub provider: Provider,
    pub settings: Vec<(String, String)>,
    pub queue: Queue,
    pub waiting: Arc<Waiting>,
    pub blobs: Front,
    pub queues: Front,
    roles: Vec<Role>,
    account: String,
    direct: StorageAccount,
}

impl Stage {
    /// Customers with what they have published so far, as the plan says; nothing runs yet.
    pub async fn new(plan: &Plan) -> Self {
        let mut config = ProviderConfig::of(plan.tenants);
        config.home.latency = plan.latency;
        for (place, tenant) in config.tenants.iter_mut().enumerate() {
            (tenant.subscribed, tenant.latency) = (true, plan.latency);
            tenant.feed_calls_per_minute = Some(2_000);
            match plan.role(place) {
                Role::Broken(trouble) => trouble.set_up(tenant),
                Role::OwnRule => tenant.rule_id = format!("dcr-{place:032x}"),
                Role::Big | Role::Disabled | Role::Small => {}
            }
        }
        let provider = Provider::start(config).await.unwrap();
        let (account, connection) = own_account();
        let direct = StorageAccount::from_connection_string(&connection).unwrap();
        let (waiting, azurite) = (Arc::<Waiting>::default(), Azurite::shared());
        let blobs = Front::before(azurite.port()).await;
        let noted = Arc::clone(&waiting);
        let queues = Front::noting(azurite.queue_port(), move |line, body| noted.note(line, body)).await;
        let [from_blobs, from_queues] = [azurite.port(), azurite.queue_port()].map(|port| format!("127.0.0.1:{port}"));
        let [to_blobs, to_queues] = [&blobs, &queues].map(|front| format!("127.0.0.1:{}", front.port()));
        let connection = connection.replace(&from_blobs, &to_blobs).replace(&from_queues, &to_queues);
        let mut settings: Vec<_> =
            provider.environment().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let budget = plan.budget.to_string();
        for (name, value) in
            [("TENANTS", "state"), ("AzureWebJobsStorage", &connection), ("RUN_BUDGET_SECONDS", &budget)]
        {
            settings.push((name.to_owned(), value.to_owned()));
        }
        // The templates make it, too.
        let queue = Queue::of(&account, WORK_QUEUE);
        queue.create().await.unwrap();
        let roles = (0..provider.tenants().len()).map(|place| plan.role(place)).collect();
        let stage = Self { roles, provider, settings, queue, waiting, blobs, queues, account, direct };
        stage.write_list().await;
        stage.publish(plan);
        stage
    }

    /// The list of the state: all customers, one of them disabled, and an entry that is bad.
    async fn write_list(&self) {
        let mut list: Vec<Value> = serde_json::from_str(&self.provider.tenants_json()).unwrap();
        for (place, entry) in list.iter_mut().enumerate() {
            if self.roles[place] == Role::Disabled {
                entry["enabled"] = json!(false);
            }
        }
        list.push(json!({"tenantId": "4b0a6d34-6f8c-4f5e-9c1a-0d2f7a9b1e55", "name": BAD_ENTRY, "cloud": "mars"}));
        let store = BlobStore::open(&self.direct, CONTAINER, None).unwrap();
        store.put(LIST_KEY, Value::from(list).to_string().into(), &Expect::Any).await.unwrap();
    }

    fn publish(&self, plan: &Plan) {
        let mut rng = fastrand::Rng::with_seed(plan.seed);
        for (tenant, role) in self.tenants() {
            if let Role::Broken(trouble) = role {
                trouble.begin(tenant).unwrap();
            }
            match (role, &plan.backlog) {
                (Role::Big, Some(bulk)) => {
                    tenant.publish_bulk(bulk);
                    let slow = Effect::Delay(plan.slow.as_millis() as u64);
                    tenant.fault(Fault::new(Endpoint::Retrieve, When::Always, slow)).unwrap();
                }
                _ => {
                    for _ in 0..contents(&mut rng) {
                        let created = OffsetDateTime::now_utc() - time::Duration::minutes(rng.i64(5..6 * 24 * 60));
                        let kind = ContentType::WITH_LABELS[rng.usize(..3)];
                        tenant.publish(kind, created, 4, 6);
                    }
                }
            }
        }
    }

    /// The tenants, each with its role.
    pub fn tenants(&self) -> impl Iterator<Item = (&Simulator, Role)> {
        self.provider.tenants().iter().zip(self.roles.iter().copied())
    }

    /// A host with a process of its own, which `observe` is told of.
    pub fn host(&self, rules: Rules, observe: impl Fn(Seen<'_>) + Send + Sync + 'static) -> Dispatcher<Host> {
        let (settings, waiting) = (self.settings.clone(), Arc::clone(&self.waiting));
        let trigger = Trigger::new("FleetPull", "work", WORK_QUEUE).in_account(&self.account);
        let see = move |seen: Seen<'_>| {
            waiting.see(seen);
            observe(seen);
        };
        Dispatcher::observed(rules, trigger, move || Host::start(&settings), see)
    }

    /// Ends the lease of a tenant's lock, as if its time were over.
    pub async fn break_lease(&self, tenant: &str) {
        let key = Memory::lock_key(tenant);
        let container = connect(&self.direct, None).unwrap().blob_container_client(CONTAINER);
        let at_once = BlobClientBreakLeaseOptions { break_period: Some(0), ..Default::default() };
        // The run may have ended in time, or not begun.
        container.blob_client(&format!("{key}.lock")).break_lease(Some(at_once)).await.ok();
    }

    /// The subcommand `status` over all tenants: what it wrote as JSON.
    pub async fn status(&self) -> Value {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_labelstream"));
        command.args(["status", "--json"]).env_clear().envs(self.settings.iter().cloned());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
    }
}

/// The host's rules that `fleet/host.json` makes, on an instance with less than two cores.
pub fn rules() -> Rules {
    Rules::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fleet/host.json"), 1).unwrap()
}
