SELECT model, served_model, system_fingerprint, first_seen, last_seen
FROM model_versions
ORDER BY model, last_seen DESC, served_model
