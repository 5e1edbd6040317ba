//! The lock of the runs, from outside: broken, or taken.

use azure_storage_blob::models::BlobClientBreakLeaseOptions;
use labelstream::{
    state::{client::connect, connection::StorageAccount},
    watermark::Memory,
};

use crate::{azurite::Azurite, world::World};

impl World {
    /// Ends the lease of the tenant's lock, as if its time were over. Whether there was one.
    pub async fn break_lease(&self) -> bool {
        let account = StorageAccount::from_connection_string(&Azurite::shared().connection_string()).unwrap();
        let container = connect(&account, None).unwrap().blob_container_client(&self.container);
        let blob = container.blob_client(&format!("{}.lock", self.lock_key()));
        let at_once = BlobClientBreakLeaseOptions { break_period: Some(0), ..Default::default() };
        blob.break_lease(Some(at_once)).await.is_ok()
    }

    /// The key of the tenant's lock.
    pub fn lock_key(&self) -> String {
        Memory::lock_key(&self.simulator.tenant().id)
    }
}
